"""Images of a tree as pieces of work for other processes or machines."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from emotion.data.images import ImageError
from emotion.ingest.sources.trees import FileTree, Listing, make_listing
from emotion.parallel.address import scheduler_address
from emotion.parallel.batches import batched

Item = TypeVar("Item")

PIECE_BYTES = 4 * 2**20
"""Bytes of files from which a piece is complete where they are sent, so that large images do not fill the memory."""

FilesOf = Callable[[Item], Iterable[str]]
"""Returns the names of the files that belong to an item, such as an entry."""


class LoadedTree(NamedTuple):
    """Files in memory, of a tree that only this machine can read; see `FileTree`."""

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


def cut_pieces(
    tree: FileTree, items: Iterable[Item], size: int, files_of: FilesOf[Item]
) -> Iterator[tuple[FileTree, list[Item]]]:
    """Yield lists of at most `size` items in their order, each with a tree that has their files.

    On a cluster the tree is one that workers can read. Where they cannot, it has the files in memory, and pieces end
    at PIECE_BYTES.
    """
    shared = tree.for_workers() if scheduler_address() else tree
    if shared is None:
        yield from _load_pieces(tree, items, size, files_of)
        return
    for batch in batched(items, size):
        yield shared, batch


def _load_pieces(
    tree: FileTree, items: Iterable[Item], size: int, files_of: FilesOf[Item]
) -> Iterator[tuple[FileTree, list[Item]]]:
    batch: list[Item] = []
    contents: dict[str, bytes | ImageError] = {}
    length = 0
    for item in items:
        contents |= _read(tree, files_of(item))
        batch.append(item)
        length = sum(len(content) for content in contents.values() if isinstance(content, bytes))
        if len(batch) == size or length >= PIECE_BYTES:
            yield LoadedTree(tree.name, contents), batch
            batch, contents = [], {}
    if batch:
        yield LoadedTree(tree.name, contents), batch


def _read(tree: FileTree, files: Iterable[str]) -> dict[str, bytes | ImageError]:
    """Return the content of the files, or the reason why one cannot be read. Those that are gone are left out."""
    contents: dict[str, bytes | ImageError] = {}
    for file in files:
        try:
            contents[file] = tree.read(file)
        except ImageError as error:
            contents[file] = error
        except KeyError:
            continue
    return contents
