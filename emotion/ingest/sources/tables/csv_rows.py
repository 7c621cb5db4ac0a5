"""Rows of any CSV file, by the parser of Python: quoted values, other separators and encodings, lists of pixels."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import IO

import numpy as np

from emotion.core.errors import InputError
from emotion.ingest.sources.tables.columns import Columns, find_columns
from emotion.ingest.sources.tables.pixel_values import Shape, common_shape, read_numbers, to_image
from emotion.ingest.sources.tables.plain_rows import MAX_LINE, check_length
from emotion.ingest.sources.tables.table_source import Parser, Row

SEPARATORS = ",;\t|"
"""Signs between the values of a row; the first one with which the columns are found is taken."""

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def find_encoding(head: bytes) -> str:
    """Return the encoding of a text by its first bytes: UTF-16 where they mark it, else UTF-8."""
    return "utf-16" if head.startswith(UTF16_MARKS) else "utf-8"


def read_header(line: str) -> tuple[Columns, str] | None:
    """Return the columns and the separator of a table by its first row; None where it is no table of pixels."""
    for separator in SEPARATORS:
        columns = find_columns(split_record(line, separator))
        if columns is not None:
            return columns, separator
    return None


def is_table_of_pixels(head: bytes) -> bool:
    """Return whether a text is a table of pixels by its first bytes, which hold some of the names of its columns."""
    line = head.decode(find_encoding(head), "replace").lstrip("\ufeff").partition("\n")[0]
    return read_header(line) is not None


def text_lines(file: IO[bytes], encoding: str, name: str) -> Iterator[str]:
    """Yield the lines of a text. Bytes that are not of `encoding` become the replacement character.

    Raises:
        InputError: a line is longer than MAX_LINE.
    """
    with io.TextIOWrapper(file, encoding, errors="replace", newline="") as text:
        while line := text.readline(MAX_LINE + 1):
            check_length(len(line), name)
            yield line


def records(lines: Iterable[str], name: str) -> Iterator[str]:
    """Yield the records of a CSV file: lines, and several of them together where a quoted value goes on.

    Raises:
        InputError: a quoted value goes on beyond MAX_LINE.
    """
    parts: list[str] = []
    length = quotes = 0
    for line in lines:
        parts.append(line)
        length += len(line)
        quotes += line.count('"')
        if length > MAX_LINE and len(parts) > 1:
            raise InputError(
                f"{name}: a quotation mark opens in the row that begins with {parts[0][:40]!r} and is not closed "
                f"within {MAX_LINE / 2**20:.3g} MiB; close it, or remove it"
            )
        if quotes % 2 == 0:
            yield "".join(parts)
            parts, length, quotes = [], 0, 0
    if parts:
        yield "".join(parts)


def csv_rows(lines: Iterable[str], name: str) -> Iterator[Row]:
    """Yield the rows that are not empty, each with its record."""
    return (Row(number, one, len(one)) for number, one in enumerate(records(lines, name)) if one.strip())


def csv_parser(rows: Sequence[Row], columns: Columns, separator: str) -> Parser:
    """Return the parser of rows, by the form of the first ones."""
    counts = []
    has_decimals, highest = False, 0.0
    for row in rows:
        fields = split_record(row.values, separator)
        try:
            values = _read_values(fields, columns)
        except InputError:
            continue
        counts.append(values.size)
        has_decimals = has_decimals or any("." in fields[place] for place in columns.pixels)
        highest = max(highest, values.max(initial=0))
    scale = 255 if has_decimals and highest <= 1 else 1
    shape = common_shape(counts, scale)
    return Parser(partial(parse_record, columns=columns, separator=separator, shape=shape), shape)


def parse_record(record: str, columns: Columns, separator: str, shape: Shape) -> tuple[str, str | None, np.ndarray]:
    """Return label, usage and image of a record; see `ParseValues`."""
    fields = split_record(record, separator)
    values = _read_values(fields, columns)
    usage = None if columns.usage is None else fields[columns.usage].strip()
    return fields[columns.emotion].strip(), usage, to_image(values, shape)


def split_record(record: str, separator: str) -> list[str]:
    """Return the values of a record."""
    # The bound holds for all of Python, and others rely on its default of 131,072 characters.
    bound = csv.field_size_limit(MAX_LINE)
    try:
        return next(csv.reader(io.StringIO(record, newline=""), delimiter=separator, skipinitialspace=True), [])
    except csv.Error as error:
        raise InputError(f"the row is no row of CSV ({error})") from None
    finally:
        csv.field_size_limit(bound)


def _read_values(fields: Sequence[str], columns: Columns) -> np.ndarray:
    if len(fields) != columns.total:
        raise InputError(f"the row has {len(fields)} values, expected {columns.total}")
    if len(columns.pixels) == 1:
        return read_numbers(fields[columns.pixels[0]])
    return read_numbers(" ".join(fields[place] or "nan" for place in columns.pixels))
