"""The opening of a CSV file of pixels: its form, its layout, and the numbering of its labels."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from io import BufferedReader
from itertools import chain
from typing import Any

from emotion.core.errors import InputError
from emotion.ingest.label_reader import LabelReader, explain_numbers, parse_number
from emotion.ingest.sources.tables.columns import Columns
from emotion.ingest.sources.tables.csv_rows import csv_parser, csv_rows, find_encoding, read_header, text_lines
from emotion.ingest.sources.tables.pixel_values import USUAL_SIZE, Shape
from emotion.ingest.sources.tables.plain_rows import plain_parser, plain_rows, read_lines
from emotion.ingest.sources.tables.table_source import Parser, Row, Table, TableSource, first_rows, take_first

FER2013_TABLE, CK_TABLE, OTHER_TABLE = "FER2013 table", "CK+ table", "table of pixels"
"""The layouts of tables."""

CK_FILE = re.compile(r"(?:^|[/: ])ckextended\.csv\b")
"""The file of Kaggle with the images of CK+, in lower case. It has FER2013's columns, and 7 is contempt."""

FER2013_USAGES = frozenset({"training", "publictest", "privatetest"})
"""The values of FER2013's column Usage, in lower case."""

OpenFile = Callable[[], AbstractContextManager[BufferedReader]]
"""Opens the bytes of a table at their start."""


def open_csv(path: str, described: str, open_file: OpenFile, labels: LabelReader) -> TableSource:
    """Return the source of a CSV file.

    Args:
        path: of the file, or of the archive around it, for messages.
        described: the path, and behind it the member of the archive.
        open_file: opens the file.
        labels: reads the labels.

    Raises:
        InputError: the file has no columns of labels and pixels, or its labels are numbers in an unknown numbering.
    """
    return TableSource(path, partial(_open_rows, described, open_file, labels))


def _open_rows(name: str, open_file: OpenFile, labels: LabelReader) -> Table:
    lines = _open_lines(name, open_file)
    header = next(lines, b"")
    columns, separator = _find_columns(name, _to_text(header))
    start = take_first(lines)
    everything = chain(start, lines)
    if separator == "," and isinstance(header, bytes):
        first = list(plain_rows(start))
        parser = plain_parser(first, columns)
        if parser is not None:
            return make_table(name, columns, first, plain_rows(everything), parser, labels)
    rows = csv_rows(map(_to_text, everything), name)
    first = first_rows(rows)
    return make_table(name, columns, first, chain(first, rows), csv_parser(first, columns, separator), labels)


def _open_lines(name: str, open_file: OpenFile) -> Iterator[Any]:
    """Yield the lines of the file: bytes, or texts where it is UTF-16. It is closed behind the last one."""
    with open_file() as file:
        encoding = find_encoding(file.peek(2))
        yield from read_lines(file, name) if encoding == "utf-8" else text_lines(file, encoding, name)


def _to_text(line: bytes | str) -> str:
    return line if isinstance(line, str) else line.decode("utf-8-sig", "replace")


def _find_columns(name: str, header: str) -> tuple[Columns, str]:
    found = read_header(header)
    if found is None:
        raise InputError(
            f"{name}: expected a first line with the columns emotion, pixels and, for the split, Usage; found "
            f"{header[:80].strip()!r}. Other names are label, class or split, and pixel_0, pixel_1 … for single pixels"
        )
    return found


def make_table(
    name: str, columns: Columns, first: Sequence[Row], rows: Iterator[Row], parser: Parser, labels: LabelReader
) -> Table:
    """Return an open table with its layout, and with the numbering of its labels.

    Args:
        name: of the table, for messages.
        columns: of the table.
        first: its first rows.
        rows: all of them.
        parser: reads them.
        labels: reads the labels of other layouts than FER2013's and that of CK+.

    Raises:
        InputError: there is no row, or labels among the first rows are numbers, and no numbering is known for them.
    """
    if not first:
        raise InputError(
            f"{name} holds no rows below the names of its columns, expected a row per image. Download it again, or "
            "save it with LF or CR LF at the ends of its lines"
        )
    found = list(_parse_some(first, parser))
    usages = [usage.lower() in FER2013_USAGES for _, usage in found if usage is not None]
    layout = OTHER_TABLE
    if columns.is_fer2013 and CK_FILE.search(name.lower()):
        layout, labels = CK_TABLE, labels.with_default("ckplus")
    elif columns.is_fer2013 and (parser.shape == Shape(USUAL_SIZE) or sum(usages) * 2 > len(usages)):
        layout, labels = FER2013_TABLE, labels.with_default("fer2013")
    elif labels.numbering is None and any(parse_number(label) is not None for label, _ in found):
        raise explain_numbers(name, [label for label, _ in found])
    return Table(layout, rows, parser.parse, labels)


def _parse_some(rows: Sequence[Row], parser: Parser) -> Iterator[tuple[str, str | None]]:
    """Yield label and usage of the rows that can be used."""
    for row in rows:
        try:
            label, usage, _ = parser.parse(row.values)
        except InputError:
            continue
        yield label, usage
