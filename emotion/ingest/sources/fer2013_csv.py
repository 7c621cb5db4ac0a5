"""FER2013's CSV file: a row per image, its pixels written out as numbers."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from math import isqrt
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from emotion.core.errors import InputError
from emotion.core.labels import parse_emotion
from emotion.ingest.sources.archives import open_csv
from emotion.ingest.sources.source import BATCH, SPLIT_NAMES, Batch, Convert, Entry, content_of, rejected
from emotion.parallel.batches import batched, map_batches

MAX_LINE = 16 * 2**20
"""Bytes of a row at most: an image of 2048x2048, with three digits and a blank for each pixel."""

USUAL_SIZE = 48
"""Height and width of FER2013's images, in pixels."""

AROUND = b' "\r\n\t'
"""What may stand around a value."""

Pixels = np.ndarray | str
"""The pixels of a row, or why it has none."""

Row = tuple[int, bytes]
"""The number of a row, from 0, and its line."""

ParseRow = Callable[[Row], tuple[Entry, Pixels]]


class Columns(NamedTuple):
    """At which place of a row each value stands, and how many there are."""

    total: int
    emotion: int
    pixels: int
    usage: int | None


class CsvSource:
    """The rows of a CSV file, which may be inside a zip, a tar.gz or a gz."""

    count: int | None = None

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path

    def batches(self) -> Iterator[Batch]:
        parse, rows = open_rows(self._lines(), self.name)
        return map_batches(partial(_parse_batch, parse), batched(rows, BATCH))

    def read_again(self, names: Sequence[str], convert: Convert) -> Iterator[np.ndarray]:
        parse, rows = open_rows(self._lines(), self.name)
        for name in names:
            row = next((row for row in rows if _name_row(row) == name), None)
            if row is None:
                raise InputError(f"{self.name}: {name} is no longer there; run create_dataframe again")
            _, pixels = parse(row)
            if isinstance(pixels, str):
                raise InputError(f"{self.name}: {name}: {pixels}; run create_dataframe again")
            yield convert(pixels)

    def _lines(self) -> Iterator[bytes]:
        with open_csv(self._path) as file:
            yield from read_lines(file, self.name)


def _parse_batch(parse: ParseRow, rows: Sequence[Row]) -> Batch:
    parsed = map(parse, rows)
    return [(entry, rejected(pixels) if isinstance(pixels, str) else content_of(pixels)) for entry, pixels in parsed]


def read_lines(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Return an iterator over the lines of `file`; InputError where one is longer than MAX_LINE."""
    while line := file.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise InputError(f"{name}: a line of more than {MAX_LINE // 2**20} MiB; this is no table of images")
        yield line


def open_rows(lines: Iterator[bytes], name: str) -> tuple[ParseRow, Iterator[Row]]:
    """Return what parses a row of this CSV file, and an iterator over its rows.

    A row is an image: uint8 (size, size, 1), or a string with the reason why it is rejected. All images must have one
    size, that of most of the first rows.

    Raises:
        InputError: the text is empty, or its first line does not name the columns emotion and pixels.
    """
    columns = find_columns(next(lines, b""), name)
    first = list(islice(lines, BATCH))
    parse = partial(parse_row, columns=columns, size=common_size(first, columns))
    return parse, (row for row in enumerate(chain(first, lines)) if row[1].strip())


def find_columns(header: bytes, name: str) -> Columns:
    """Return where the columns emotion, pixels and Usage stand; case, blanks and quotes do not matter."""
    names = [_text(field).lower() for field in header.removeprefix(b"\xef\xbb\xbf").split(b",")]
    missing = [column for column in ("emotion", "pixels") if names.count(column) != 1]
    if missing or names.count("usage") > 1:
        actual = header[:80].decode("utf-8", "replace").strip()
        raise InputError(
            f"{name}: expected a first line with the columns emotion, pixels and, for the split, Usage; "
            f"found {actual!r}"
        )
    usage = names.index("usage") if "usage" in names else None
    return Columns(len(names), names.index("emotion"), names.index("pixels"), usage)


def common_size(lines: Sequence[bytes], columns: Columns) -> int:
    """Return the height and width that most of the rows in `lines` have; USUAL_SIZE where no row is a square."""
    fields = [line.split(b",")[columns.pixels] for line in lines if line.count(b",") == columns.total - 1]
    numbers = [len(field.strip(AROUND).split()) for field in fields if field.strip(AROUND + b"0123456789") == b""]
    squares = [count for count, _ in Counter(numbers).most_common() if count and isqrt(count) ** 2 == count]
    return isqrt(squares[0]) if squares else USUAL_SIZE


def parse_row(row: Row, columns: Columns, size: int) -> tuple[Entry, Pixels]:
    """Return the entry and the pixels of a row; where the row is bad, the reason in place of the pixels."""
    try:
        emotion, split, pixels = _parse_fields(row[1].split(b","), columns, size)
    except InputError as error:
        return Entry(_name_row(row), "", None), str(error)
    return Entry(_name_row(row), emotion, split), pixels


def _name_row(row: Row) -> str:
    return f"row {row[0]}"


def _parse_fields(fields: Sequence[bytes], columns: Columns, size: int) -> tuple[str, str | None, np.ndarray]:
    if len(fields) != columns.total:
        raise InputError(f"the row has {len(fields)} values, expected {columns.total}")
    split = None if columns.usage is None else _parse_usage(_text(fields[columns.usage]))
    emotion = _parse_label(_text(fields[columns.emotion]))
    return emotion, split, parse_pixels(fields[columns.pixels], size)


def _parse_usage(usage: str) -> str:
    split = SPLIT_NAMES.get(usage.lower())
    if split is None:
        raise InputError(f"Usage {usage!r}, expected Training, PublicTest or PrivateTest")
    return split


def _parse_label(label: str) -> str:
    try:
        return parse_emotion(label)
    except InputError:
        raise InputError(f"the emotion {label[:40]!r} is not known") from None


def parse_pixels(field: bytes, size: int) -> np.ndarray:
    """Return the numbers in `field` as uint8 (size, size, 1).

    Raises:
        InputError: they are not size * size numbers from 0 to 255, or there is something else in the field.
    """
    field = field.strip(AROUND)
    strange = field.translate(None, b"0123456789 ")
    if strange:
        raise InputError(f"the pixels hold {strange[:12].decode('utf-8', 'replace')!r}, expected digits and blanks")
    # Numbers that int64 cannot hold become its largest, and are refused with the others above 255.
    values = np.fromstring(field, dtype=np.int64, sep=" ") if field else np.empty(0, np.int64)
    if values.size != size * size:
        raise InputError(f"the row has {values.size} pixels, expected {size * size} ({size}x{size})")
    if values.max() > 255:
        raise InputError(f"a pixel of {values.max()}, expected 0 to 255")
    return values.astype(np.uint8).reshape(size, size, 1)


def _text(field: bytes) -> str:
    return field.strip(AROUND).decode("utf-8", "replace")
