"""A tree of files in memory, for the tests of readers."""

from collections.abc import Mapping
from typing import NamedTuple

from emotion.data.images import ImageError
from emotion.ingest.label_reader import NUMBERINGS, LabelReader
from emotion.ingest.sources.trees import Listing

NUMBERED = {name: LabelReader(pairs) for name, pairs in NUMBERINGS.items()}
"""A reader of labels for each known numbering."""


class MemoryTree(NamedTuple):
    """The files in a mapping of paths to contents."""

    files: Mapping[str, bytes]
    name: str = "data/raw"

    def list(self) -> Listing:
        return Listing(sorted(self.files), {}, {})

    def read(self, file: str) -> bytes:
        if file not in self.files:
            raise ImageError("the file cannot be read: No such file or directory")
        return self.files[file]

    def for_workers(self) -> "MemoryTree":
        return self


def tree_of(*names: str, **contents: bytes) -> MemoryTree:
    """Return a tree of these files, each with its own name as its content."""
    return MemoryTree({name: name.encode() for name in names} | contents)
