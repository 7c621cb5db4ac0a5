"""AffectNet: each image has files with its expression, valence and arousal."""

import io
from collections.abc import Sequence
from functools import partial
from itertools import chain

import numpy as np

from emotion.data.images import ImageError, is_image
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.layouts.layout import Layout, OtherLayoutError, make_entry
from emotion.ingest.sources.layouts.paths import count_skipped, list_some, split_of_folders, split_path
from emotion.ingest.sources.pieces import at_hand, cut_pieces
from emotion.ingest.sources.source import BATCH, Entry
from emotion.ingest.sources.trees import FileTree
from emotion.parallel.batches import map_batches

NAME = "AffectNet"

EXPRESSION = "_exp.npy"
COLUMNS = {"valence": "_val.npy", "arousal": "_aro.npy"}
"""The further columns, and the ends of the names of the files that have them."""

INNER_FOLDERS = ("images", "annotations")
"""Folders that lie beside each other: images, and the files that describe them."""

MAX_BYTES = 4096
"""Largest file with one value."""

Files = tuple[str, list[str]]
"""An image, and its files with expression, valence and arousal; an empty name for one that is missing."""


def read(tree: FileTree, names: Sequence[str], labels: LabelReader) -> Layout:
    """Return the images that have a file with the expression; see `Read`.

    The expressions 8 to 10 (none, uncertain, no face) are emotions that no scheme has.
    """
    described = {_key(name.removesuffix(EXPRESSION)): name for name in names if name.endswith(EXPRESSION)}
    if not described:
        raise OtherLayoutError(f"no files such as train_set/annotations/123{EXPRESSION}")
    known = set(names)
    files = [
        (name, _list_files(described[key], known))
        for name in names
        if is_image(name) and (key := _key(name.rpartition(".")[0])) in described
    ]
    if not files:
        raise OtherLayoutError(f"no images that belong to files such as {list_some(described.values(), 1)}")
    make = partial(_make_entries, labels.with_default("affectnet"))
    entries = list(chain.from_iterable(map_batches(make, cut_pieces(tree, files, BATCH, _described))))
    used = {file for image, values in files for file in (image, *values)}
    return Layout(NAME, entries, tuple(COLUMNS), count_skipped(name for name in names if name not in used))


def _key(bare: str) -> tuple[str, ...]:
    """Return the folders around images and annotations, and the name of the image without its suffix."""
    folders, stem = split_path(bare)
    inner = bool(folders) and folders[-1].lower() in INNER_FOLDERS
    return (*(folders[:-1] if inner else folders), stem)


def _list_files(expression: str, known: set[str]) -> list[str]:
    others = [expression.removesuffix(EXPRESSION) + end for end in COLUMNS.values()]
    return [expression, *(name if name in known else "" for name in others)]


def _described(files: Files) -> list[str]:
    return [file for file in files[1] if file]


def _make_entries(labels: LabelReader, piece: tuple[FileTree, Sequence[Files]]) -> list[Entry]:
    tree, files = at_hand(piece[0]), piece[1]
    return [_make_entry(tree, labels, *one) for one in files]


def _make_entry(tree: FileTree, labels: LabelReader, image: str, files: Sequence[str]) -> Entry:
    split = split_of_folders(split_path(image)[0])
    try:
        expression, *columns = (_read_value(tree, file) if file else "" for file in files)
    except ImageError as error:
        return Entry(image, "", split, columns=("",) * len(COLUMNS), fault=str(error))
    return make_entry(labels, image, expression, split, columns=tuple(columns))


def _read_value(tree: FileTree, file: str) -> str:
    """Return the one value in a file of NumPy as text.

    Raises:
        ImageError: the file cannot be read, or holds anything else.
    """
    data = tree.read(file)
    if len(data) > MAX_BYTES:
        raise ImageError(f"{file} has {len(data):,} bytes, expected one value")
    try:
        values = np.load(io.BytesIO(data), allow_pickle=False)
        return str(values.item()).strip()
    except (ValueError, EOFError, AttributeError) as error:
        raise ImageError(f"{file} is no file of NumPy with one value ({' '.join(str(error).split())[:120]})") from None
