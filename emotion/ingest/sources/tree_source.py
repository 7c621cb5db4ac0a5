"""The source of the images in a tree of files, whose layout gives emotion, split and more."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain

import numpy as np

from emotion.core.errors import InputError
from emotion.data.images import ImageError, decode
from emotion.ingest.sources.content import rejected
from emotion.ingest.sources.layouts.layout import Layout
from emotion.ingest.sources.pieces import at_hand, cut_pieces
from emotion.ingest.sources.source import BATCH, Batch, Content, Convert, Describe, Entry, Place
from emotion.ingest.sources.trees import FileTree, Listing
from emotion.parallel.batches import batched, map_batches

REREAD_BATCH = 32
"""Number of images that a process reads again before it returns them. It is below BATCH, since they are large."""


class TreeSource:
    """A source of images in a tree of files.

    Args:
        tree: the folder or archive.
        layout: the images among its files.
        listing: the files of the tree.
    """

    def __init__(self, tree: FileTree, layout: Layout, listing: Listing) -> None:
        self.name = tree.name
        self.layout = layout.name
        self.columns = layout.columns
        self.skipped: Mapping[str, int] = Counter(listing.skipped) + Counter(layout.skipped)
        self.count: int | None = len(layout.entries)
        self._tree = tree
        faults = listing.faults
        self._entries = layout.entries
        if faults:
            self._entries = [entry._replace(fault=faults.get(entry.image, entry.fault)) for entry in layout.entries]

    def preview(self) -> Sequence[Entry]:
        """Return the entries of all images; see `Source`."""
        return self._entries

    def batches(self, describe: Describe, size: int = BATCH) -> Iterator[Batch]:
        """Read every image in the order of the names; see `Source`."""
        # Entries stay here, since to send them back from the processes takes longer than to pair them again.
        pieces = cut_pieces(self._tree, self._entries, size, _file_of)
        contents = map_batches(partial(_read_contents, describe), pieces, name=_name_piece)
        return map(_pair, batched(self._entries, size), batched(chain.from_iterable(contents), size))

    def read_again(self, places: Sequence[Place], convert: Convert) -> Iterator[np.ndarray]:
        """Read images again and convert them; see `Source`."""
        pieces = cut_pieces(self._tree, places, REREAD_BATCH, _file_of)
        return chain.from_iterable(map_batches(partial(_convert_piece, convert), pieces, name=_name_piece))


Piece = tuple[FileTree, Sequence[Entry | Place]]


def _file_of(item: Entry | Place) -> tuple[str]:
    return (item.image,)


def _name_piece(piece: Piece) -> str:
    tree, items = piece
    return f"{tree.name}: {items[0].image} to {items[-1].image}"


def _convert_piece(convert: Convert, piece: tuple[FileTree, Sequence[Place]]) -> list[np.ndarray]:
    tree, places = at_hand(piece[0]), piece[1]
    return [convert(_decode_again(tree, place.image), place) for place in places]


def _decode_again(tree: FileTree, image: str) -> np.ndarray:
    try:
        return decode(tree.read(image))
    except (ImageError, KeyError) as error:
        raise InputError(
            f"{tree.name}: {image} could be read before and now cannot ({error}); run `dvc repro create_dataframe`"
        ) from None


def _read_contents(describe: Describe, piece: tuple[FileTree, Sequence[Entry]]) -> list[Content]:
    tree, entries = at_hand(piece[0]), piece[1]
    return [_read_content(tree, describe, entry) for entry in entries]


def _pair(entries: Sequence[Entry], contents: Sequence[Content]) -> Batch:
    return list(zip(entries, contents, strict=True))


def _read_content(tree: FileTree, describe: Describe, entry: Entry) -> Content:
    if entry.fault:
        return rejected(entry.fault)
    try:
        return describe(decode(tree.read(entry.image)), entry)
    except ImageError as error:
        return rejected(str(error))
