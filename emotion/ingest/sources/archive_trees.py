"""Trees of the files in archives."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import count
from typing import IO, NamedTuple, Protocol
from weakref import WeakValueDictionary

from emotion.data.images import MAX_FILE_BYTES, ImageError
from emotion.ingest.sources.archives import damage_explained
from emotion.ingest.sources.trees import FileTree, Listing, make_listing


class Archive(Protocol):
    """An open archive."""

    name: str
    """The path of the archive, for messages."""
    skipped: Mapping[str, int]
    """The number of members that are left out, by their kind, such as `system files`."""

    def list(self) -> list[str]:
        """Return the paths of all files in the archive, with /, sorted, without system files."""
        ...

    def size(self, file: str) -> int:
        """Return the size of a file in bytes."""
        ...

    def open(self, file: str) -> IO[bytes]:
        """Open a file."""
        ...


class ArchiveTree:
    """The files in an archive; see `FileTree`.

    A forked process gets the number of the tree, and finds the tree in the memory that it has from its parent.
    """

    def __init__(self, archive: Archive) -> None:
        self.name = archive.name
        self._archive = archive
        self._number = next(_numbers)
        _trees[self._number] = self

    def __reduce__(self) -> tuple[object, ...]:
        """Return what a forked process finds the tree by."""
        return _find_tree, (self._number,)

    def list(self) -> Listing:
        """Return the files in the archive; see `FileTree`."""
        return make_listing(self._archive.list(), self._archive.skipped)

    def read(self, file: str) -> bytes:
        """Return the content of a member; see `FileTree`."""
        if self._archive.size(file) > MAX_FILE_BYTES:
            raise ImageError(f"the file is larger than {MAX_FILE_BYTES // 2**20} MiB")
        with damage_explained(f"{self.name}: {file}"), self._archive.open(file) as member:
            return member.read()

    def for_workers(self) -> None:
        """Return None: a worker may lack the archive, or would have to unpack all of it; see `FileTree`."""


_numbers: Iterator[int] = count()
_trees: "WeakValueDictionary[int, ArchiveTree]" = WeakValueDictionary()


def _find_tree(number: int) -> ArchiveTree:
    return _trees[number]


class BelowTree(NamedTuple):
    """The part of a tree below a folder."""

    tree: FileTree
    folder: str
    """The path of the folder, with a / behind it."""

    @property
    def name(self) -> str:
        """The path of the whole tree, for messages."""
        return self.tree.name

    def list(self) -> Listing:
        """Return the files below the folder; see `FileTree`."""
        names, skipped, faults = self.tree.list()
        start = len(self.folder)
        return Listing(
            [name[start:] for name in names], skipped, {name[start:]: fault for name, fault in faults.items()}
        )

    def read(self, file: str) -> bytes:
        """Return the content of a file; see `FileTree`."""
        return self.tree.read(self.folder + file)

    def for_workers(self) -> FileTree | None:
        """Return the part below the folder, where workers can read the tree; see `FileTree`."""
        tree = self.tree.for_workers()
        return None if tree is None else BelowTree(tree, self.folder)


class MergedTree(NamedTuple):
    """Several trees as one; each is a folder of it."""

    name: str
    trees: Mapping[str, FileTree]

    def list(self) -> Listing:
        """Return the files in all trees; see `FileTree`."""
        listings = {folder: tree.list() for folder, tree in self.trees.items()}
        names = [f"{folder}/{name}" for folder, listing in listings.items() for name in listing.names]
        skipped: Counter[str] = sum((Counter(listing.skipped) for listing in listings.values()), Counter())
        return make_listing(names, skipped)

    def read(self, file: str) -> bytes:
        """Return the content of a file; see `FileTree`."""
        folder, _, below = file.partition("/")
        return self.trees[folder].read(below)

    def for_workers(self) -> None:
        """Return None: a worker may lack the archive, or would have to unpack all of it; see `FileTree`."""
