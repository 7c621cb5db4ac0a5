"""The plain rows of FER2013's CSV file: commas between the values, and pixels as digits with blanks between them.

They are split and read as bytes, which takes a third of the time that a parser of CSV takes.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import IO

import numpy as np

from emotion.core.errors import InputError
from emotion.ingest.sources.tables.columns import Columns
from emotion.ingest.sources.tables.pixel_values import AROUND, Shape, common_shape, parse_pixels
from emotion.ingest.sources.tables.table_source import Parser, Row

MAX_LINE = 4 * 2**20
"""Largest length of a row, in bytes or characters: an image of 1024x1024, with three digits and a blank per pixel."""


def read_lines(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield the lines of `file`.

    Raises:
        InputError: a line is longer than MAX_LINE.
    """
    while line := file.readline(MAX_LINE + 1):
        check_length(len(line), name)
        yield line


def check_length(length: int, name: str) -> None:
    """Raise InputError where a row is longer than MAX_LINE."""
    if length > MAX_LINE:
        raise InputError(
            f"{name}: a line of more than {MAX_LINE / 2**20:.3g} MiB, expected a row per image; put images of this "
            "size into files, in a folder per emotion"
        )


def plain_rows(lines: Iterable[bytes]) -> Iterator[Row]:
    """Yield the rows that are not empty, each with its line."""
    return (Row(number, line, len(line)) for number, line in enumerate(lines) if line.strip())


def plain_parser(rows: Sequence[Row], columns: Columns) -> Parser | None:
    """Return the parser of plain rows; None where most of the first rows, `rows`, have another form."""
    if len(columns.pixels) > 1:
        return None
    lines = [row.values.split(b",") for row in rows]
    fields = [fields[columns.pixels[0]].strip(AROUND) for fields in lines if len(fields) == columns.total]
    plain = [field for field in fields if field and not field.translate(None, b"0123456789 ")]
    if rows and len(plain) * 2 < len(rows):
        return None
    shape = common_shape(len(field.split()) for field in plain)
    return Parser(partial(parse_plain, columns=columns, shape=shape), shape)


def parse_plain(line: bytes, columns: Columns, shape: Shape) -> tuple[str, str | None, np.ndarray]:
    """Return label, usage and image of a plain row; see `ParseValues`."""
    fields = line.split(b",")
    if len(fields) != columns.total:
        raise InputError(f"the row has {len(fields)} values, expected {columns.total}")
    usage = None if columns.usage is None else _text(fields[columns.usage])
    return _text(fields[columns.emotion]), usage, parse_pixels(fields[columns.pixels[0]], shape)


def _text(field: bytes) -> str:
    return field.strip(AROUND).decode("utf-8", "replace")
