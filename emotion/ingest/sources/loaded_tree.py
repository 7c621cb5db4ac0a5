"""Files of a tree in memory."""

from collections.abc import Mapping
from typing import NamedTuple

from emotion.data.images import ImageError
from emotion.ingest.sources.trees import FileTree, Listing, make_listing


class LoadedTree(NamedTuple):
    """Files in memory, see `FileTree`."""

    name: str
    contents: Mapping[str, bytes | ImageError]
    """The content of each file, or the reason why it cannot be read."""

    def list(self) -> Listing:
        """Return the files in memory; see `FileTree`."""
        return make_listing(self.contents, {})

    def read(self, file: str) -> bytes:
        """Return the content of a file; see `FileTree`."""
        content = self.contents[file]
        if isinstance(content, ImageError):
            raise content
        return content

    def for_workers(self) -> FileTree:
        """Return this tree; see `FileTree`."""
        return self
