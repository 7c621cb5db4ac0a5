"""Trees of files from which images are read by name: a folder, or an archive."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from emotion.data.images import read_bytes
from emotion.ingest.sources.system_files import is_hidden

MAX_DEPTH = 8
"""Number of levels of folders that are read. It ends links to a parent folder, which would go on for ever."""


class FileTree(Protocol):
    """A tree of files.

    It is sent to other processes with every batch, so it must be small and picklable.
    """

    @property
    def name(self) -> str:
        """The path of the folder or archive, for messages."""
        ...

    def list(self) -> list[str]:
        """Return the paths of all files relative to the tree, with /, sorted, without system files."""
        ...

    def read(self, file: str) -> bytes:
        """Return the content of a file.

        Raises:
            ImageError: the file cannot be read or is too large.
        """
        ...


class FolderTree(NamedTuple):
    """The files below a folder."""

    folder: Path

    @property
    def name(self) -> str:
        """The path of the folder."""
        return str(self.folder)

    def list(self) -> list[str]:
        """Return the files below the folder; see `FileTree`."""
        return sorted(_walk(str(self.folder), "", MAX_DEPTH))

    def read(self, file: str) -> bytes:
        """Return the content of a file; see `FileTree`."""
        return read_bytes(f"{self.folder}/{file}")


def _walk(root: str, below: str, depth: int) -> Iterator[str]:
    with os.scandir(f"{root}/{below}") as listing:
        items = [item for item in listing if not is_hidden(item.name)]
    yield from (below + item.name for item in items if not item.is_dir())
    if depth:
        for item in items:
            if item.is_dir():
                yield from _walk(root, f"{below}{item.name}/", depth - 1)
