"""FER+ in its own form: a folder for each split, with images and the votes on them."""

import csv
from collections.abc import Sequence

import numpy as np
import pandas as pd

from emotion.core.errors import InputError
from emotion.data.images import is_image
from emotion.ingest.ferplus import (
    CARRIED_VOTES,
    CHOICES,
    LABEL_FILE_CHOICES,
    MAX_VOTES,
    choose_by_majority,
    format_votes,
)
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.layouts.layout import Layout, OtherLayoutError
from emotion.ingest.sources.layouts.paths import count_skipped, find_files, read_lines
from emotion.ingest.sources.source import Entry, split_of
from emotion.ingest.sources.trees import FileTree

NAME = "FER+"
LIST = "label.csv"

ORDER = [LABEL_FILE_CHOICES.index(choice) for choice in CHOICES]
"""The place of each choice among the votes of a row."""


def read(tree: FileTree, names: Sequence[str], labels: LabelReader) -> Layout:
    """Return the images with the choice of most people; see `Read`. The votes are in a further column."""
    lists = [name for name in find_files(names, (LIST,)) if split_of(_folder_of(name).rpartition("/")[2])]
    images = {name for name in names if is_image(name)}
    entries = [entry for name in lists for entry in _read_split(tree, name, images)]
    if not lists:
        raise OtherLayoutError(f"no FER2013Train/{LIST}")
    if not any(entry.image in images for entry in entries):
        raise OtherLayoutError(
            f"no images beside {lists[0]} that it lists; FER+'s generate_training_data.py writes them"
        )
    used = {*lists, *(entry.image for entry in entries)}
    return Layout(NAME, entries, (CARRIED_VOTES,), count_skipped(name for name in names if name not in used))


def _folder_of(name: str) -> str:
    return name.rpartition("/")[0]


def _read_split(tree: FileTree, name: str, images: set[str]) -> list[Entry]:
    rows = list(csv.reader(read_lines(tree, name)))
    if any(len(row) != 2 + len(CHOICES) for row in rows):
        raise OtherLayoutError(f"{name} has no rows of a name, a box and {len(CHOICES)} votes")
    folder = _folder_of(name)
    split = split_of(folder.rpartition("/")[2])
    counts = _parse_counts(f"{tree.name}: {name}", [row[2:] for row in rows])
    emotions = choose_by_majority(counts, pd.Series([""] * len(rows), dtype=object))
    files = [f"{folder}/{row[0].strip()}" for row in rows]
    faults = ["" if file in images else "the list has it, and the file is missing" for file in files]
    return [
        Entry(file, emotion, split, emotion, columns=(votes,), fault=fault)
        for file, emotion, votes, fault in zip(files, emotions, format_votes(counts), faults, strict=True)
    ]


def _parse_counts(source: str, rows: Sequence[Sequence[str]]) -> np.ndarray:
    """Return the votes in the order of CHOICES, uint8 of shape (rows, len(CHOICES))."""
    try:
        counts = np.array(rows, dtype=float).reshape(len(rows), len(CHOICES))[:, ORDER]
    except ValueError as error:
        raise InputError(f"{source}: the votes cannot be read ({error}), expected numbers") from None
    if not ((counts >= 0) & (counts <= MAX_VOTES) & (counts % 1 == 0)).all():
        raise InputError(f"{source}: some votes are no whole numbers from 0 to {MAX_VOTES}")
    votes: np.ndarray = counts.astype(np.uint8)
    return votes
