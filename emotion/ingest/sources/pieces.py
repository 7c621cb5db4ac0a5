"""Images of a tree as pieces of work for other processes or machines."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from emotion.data.images import ImageError
from emotion.ingest.sources.loaded_tree import LoadedTree
from emotion.ingest.sources.store_tree import StoreTree
from emotion.ingest.sources.trees import FileTree
from emotion.parallel.address import scheduler_address
from emotion.parallel.batches import batched, batched_by_weight

Item = TypeVar("Item")

PIECE_BYTES = 4 * 2**20
"""Bytes of files from which a piece is complete where they are sent, or read at once, so that they fit in memory."""

Contents = Mapping[str, bytes | ImageError]

FilesOf = Callable[[Item], Iterable[str]]
"""Returns the names of the files that belong to an item, such as an entry."""


def cut_pieces(
    tree: FileTree, items: Iterable[Item], size: int, files_of: FilesOf[Item]
) -> Iterator[tuple[FileTree, list[Item]]]:
    """Yield lists of at most `size` items in their order, each with a tree that has their files.

    On a cluster the tree is one that workers can read. Where they cannot, it has the files in memory. Pieces of such
    files, and of a store's, also end at PIECE_BYTES.
    """
    shared = tree.for_workers() if scheduler_address() else tree
    if shared is None:
        yield from _load_pieces(tree, items, size, files_of)
    elif isinstance(shared, StoreTree):
        yield from _cut_store(shared, items, size, files_of)
    else:
        for batch in batched(items, size):
            yield shared, batch


def at_hand(tree: FileTree) -> FileTree:
    """Return the tree of a piece with its files at hand: those of a store are read at the same time."""
    return tree.load() if isinstance(tree, StoreTree) else tree


def _cut_store(
    tree: StoreTree, items: Iterable[Item], size: int, files_of: FilesOf[Item]
) -> Iterator[tuple[FileTree, list[Item]]]:
    def weigh(item: Item) -> int:
        return sum(map(tree.size, files_of(item)))

    for batch in batched_by_weight(items, size, weigh, PIECE_BYTES):
        yield tree.part(file for item in batch for file in files_of(item)), batch


def _load_pieces(
    tree: FileTree, items: Iterable[Item], size: int, files_of: FilesOf[Item]
) -> Iterator[tuple[FileTree, list[Item]]]:
    loaded = ((item, _read(tree, files_of(item))) for item in items)
    for batch in batched_by_weight(loaded, size, lambda one: _count_bytes(one[1]), PIECE_BYTES):
        contents = {file: content for _, files in batch for file, content in files.items()}
        yield LoadedTree(tree.name, contents), [item for item, _ in batch]


def _count_bytes(contents: Contents) -> int:
    return sum(len(content) for content in contents.values() if isinstance(content, bytes))


def _read(tree: FileTree, files: Iterable[str]) -> Contents:
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
