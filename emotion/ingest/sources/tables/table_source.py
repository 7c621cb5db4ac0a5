"""The source with one image per row of a table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from emotion.core.errors import InputError
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.content import rejected
from emotion.ingest.sources.source import BATCH, Batch, Convert, Describe, Entry, Place, split_of
from emotion.ingest.sources.tables.pixel_values import Shape
from emotion.parallel.batches import batched_by_weight, map_batches

BATCH_BYTES = 4 * 2**20
"""Bytes of rows from which a batch is complete, so that large rows do not fill the memory."""


class Row(NamedTuple):
    """A row that is not parsed yet: its number, counted from 0, its values, and their size in bytes, roughly."""

    number: int
    values: Any
    size: int

    @property
    def name(self) -> str:
        """The name of the image within the source."""
        return f"row {self.number}"


Pixels = np.ndarray | str
"""The pixels of a row, or the reason why the row is rejected."""

ParseValues = Callable[[Any], tuple[str, str | None, np.ndarray]]
"""A function that returns label, usage (None where the table has none) and image of a row's values.

It must be picklable. It raises InputError where the row cannot be used.
"""


class Parser(NamedTuple):
    """The function that parses the rows of a table, and the shape of their images; None where it varies."""

    parse: ParseValues
    shape: Shape | None


class Table(NamedTuple):
    """An open table: its layout, its rows, and the functions that read them."""

    layout: str
    rows: Iterator[Row]
    parse: ParseValues
    labels: LabelReader


class TableSource:
    """A source with one image per row of a table.

    Args:
        name: the path of the source, for messages.
        open_table: opens the table at its first row.

    Raises:
        InputError: the table cannot be read, or has other columns.
    """

    count: int | None = None
    columns: tuple[str, ...] = ()

    def __init__(self, name: str, open_table: Callable[[], Table]) -> None:
        self.name = name
        self.skipped: Mapping[str, int] = {}
        self._open = open_table
        self.layout = open_table().layout

    def preview(self) -> Sequence[Entry]:
        """Return the entries of the first rows, with the reason of a bad one as its fault; see `Source`."""
        table = self._open()
        found = (parse_row(row, table.parse, table.labels) for row in first_rows(table.rows))
        return [entry._replace(fault=pixels) if isinstance(pixels, str) else entry for entry, pixels in found]

    def batches(self, describe: Describe, size: int = BATCH) -> Iterator[Batch]:
        """Read every image in the order of the rows; see `Source`."""
        table = self._open()
        return map_batches(partial(_parse_batch, table.parse, table.labels, describe), batched_rows(table.rows, size))

    def read_again(self, places: Sequence[Place], convert: Convert) -> Iterator[np.ndarray]:
        """Read rows again and convert them; see `Source`."""
        table = self._open()
        for place in places:
            row = next((row for row in table.rows if row.name == place.image), None)
            if row is None:
                raise InputError(f"{self.name}: {place.image} is no longer there; run `dvc repro create_dataframe`")
            _, pixels = parse_row(row, table.parse, table.labels)
            if isinstance(pixels, str):
                raise InputError(f"{self.name}: {place.image}: {pixels}; run `dvc repro create_dataframe`")
            yield convert(pixels, place)


def batched_rows(rows: Iterator[Row], size: int = BATCH) -> Iterator[list[Row]]:
    """Return an iterator over lists of up to `size` rows, or fewer where they reach BATCH_BYTES."""
    return batched_by_weight(rows, size, lambda row: row.size, BATCH_BYTES)


def take_first(lines: Iterator[Any]) -> list[Any]:
    """Return lines from which the form of a table is told: up to BATCH, or fewer where they reach BATCH_BYTES."""
    taken: list[Any] = []
    size = 0
    while len(taken) < BATCH and size < BATCH_BYTES:
        line = next(lines, None)
        if line is None:
            break
        taken.append(line)
        size += len(line)
    return taken


def first_rows(rows: Iterator[Row]) -> list[Row]:
    """Return the rows from which the form of a table is told: the first batch."""
    return next(batched_rows(rows), [])


def parse_row(row: Row, parse: ParseValues, labels: LabelReader) -> tuple[Entry, Pixels]:
    """Return the entry and the pixels of a row. For a bad row, the reason replaces the pixels."""
    try:
        label, usage, pixels = parse(row.values)
        split = None if usage is None else _parse_usage(usage)
        emotion = labels.read(label)
    except InputError as error:
        return Entry(row.name, "", None), str(error)
    return Entry(row.name, emotion, split, label), pixels


def _parse_usage(usage: str) -> str:
    split = split_of(usage)
    if split is None:
        raise InputError(f"Usage {usage[:40]!r}, expected Training, PublicTest or PrivateTest")
    return split


def _parse_batch(parse: ParseValues, labels: LabelReader, describe: Describe, rows: Sequence[Row]) -> Batch:
    parsed = (parse_row(row, parse, labels) for row in rows)
    return [
        (entry, rejected(pixels) if isinstance(pixels, str) else describe(pixels, entry)) for entry, pixels in parsed
    ]
