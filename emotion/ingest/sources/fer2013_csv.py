"""The CSV file of FER2013: one row per image, with the pixels as decimal numbers."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from math import isqrt
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from emotion.core.errors import InputError
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.archives import open_csv
from emotion.ingest.sources.content import rejected
from emotion.ingest.sources.source import BATCH, SPLIT_NAMES, Batch, Convert, Describe, Entry, Place
from emotion.parallel.batches import batched, map_batches

MAX_LINE = 16 * 2**20
"""Largest length of a row in bytes: an image of 2048x2048, with three digits and a blank per pixel."""

USUAL_SIZE = 48
"""Height and width of FER2013's images, in pixels."""

AROUND = b' "\r\n\t'
"""Bytes that may surround a value."""

Pixels = np.ndarray | str
"""The pixels of a row, or the reason why the row is rejected."""

Row = tuple[int, bytes]
"""The number of a row, counted from 0, and its line."""

ParseRow = Callable[[Row], tuple[Entry, Pixels]]


class Columns(NamedTuple):
    """The positions of the values in a row, and their number."""

    total: int
    emotion: int
    pixels: int
    usage: int | None


class CsvSource:
    """A source with one image per row of a CSV file, which may be inside a zip, tar.gz or gz.

    Args:
        path: the CSV file or the archive.
        labels: reads the labels; its bare numbers are FER2013's where no numbering is chosen.
    """

    layout = "table of pixels"
    count: int | None = None
    columns: tuple[str, ...] = ()

    def __init__(self, path: Path, labels: LabelReader) -> None:
        self.name = str(path)
        self.skipped: Mapping[str, int] = {}
        self._path = path
        self._labels = labels.with_default("fer2013")

    def batches(self, describe: Describe, size: int = BATCH) -> Iterator[Batch]:
        """Read every image in the order of the rows; see `Source`."""
        parse, rows = open_rows(self._lines(), self.name, self._labels)
        return map_batches(partial(_parse_batch, parse, describe), batched(rows, size))

    def read_again(self, places: Sequence[Place], convert: Convert) -> Iterator[np.ndarray]:
        """Read rows again and convert them; see `Source`."""
        parse, rows = open_rows(self._lines(), self.name, self._labels)
        for place in places:
            row = next((row for row in rows if _name_row(row) == place.image), None)
            if row is None:
                raise InputError(f"{self.name}: {place.image} is no longer there; run `dvc repro create_dataframe`")
            _, pixels = parse(row)
            if isinstance(pixels, str):
                raise InputError(f"{self.name}: {place.image}: {pixels}; run `dvc repro create_dataframe`")
            yield convert(pixels, place)

    def _lines(self) -> Iterator[bytes]:
        with open_csv(self._path) as file:
            yield from read_lines(file, self.name)


def _parse_batch(parse: ParseRow, describe: Describe, rows: Sequence[Row]) -> Batch:
    parsed = map(parse, rows)
    return [
        (entry, rejected(pixels) if isinstance(pixels, str) else describe(pixels, entry)) for entry, pixels in parsed
    ]


def read_lines(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield the lines of `file`.

    Raises:
        InputError: a line is longer than MAX_LINE.
    """
    while line := file.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise InputError(
                f"{name}: a line of more than {MAX_LINE // 2**20} MiB; use a CSV file with one image per line"
            )
        yield line


def open_rows(lines: Iterator[bytes], name: str, labels: LabelReader) -> tuple[ParseRow, Iterator[Row]]:
    """Return a function that parses a row of this CSV file, and an iterator over its rows.

    The function returns an image, uint8 (size, size, 1), or a string with the reason why the row is rejected. All
    images must have the size of most of the first rows.

    Raises:
        InputError: the file is empty, or its first line does not name the columns emotion and pixels.
    """
    columns = find_columns(next(lines, b""), name)
    first = list(islice(lines, BATCH))
    parse = partial(parse_row, columns=columns, size=common_size(first, columns), labels=labels)
    return parse, (row for row in enumerate(chain(first, lines)) if row[1].strip())


def find_columns(header: bytes, name: str) -> Columns:
    """Return the positions of the columns emotion, pixels and Usage. Case, blanks and quotes are ignored.

    Raises:
        InputError: a column is missing or repeated.
    """
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
    """Return the most common height and width of the rows in `lines`; USUAL_SIZE where no row is a square."""
    fields = [line.split(b",")[columns.pixels] for line in lines if line.count(b",") == columns.total - 1]
    numbers = [len(field.strip(AROUND).split()) for field in fields if field.strip(AROUND + b"0123456789") == b""]
    squares = [count for count, _ in Counter(numbers).most_common() if count and isqrt(count) ** 2 == count]
    return isqrt(squares[0]) if squares else USUAL_SIZE


def parse_row(row: Row, columns: Columns, size: int, labels: LabelReader) -> tuple[Entry, Pixels]:
    """Return the entry and the pixels of a row. For a bad row, the reason replaces the pixels."""
    try:
        label, split, pixels = _parse_fields(row[1].split(b","), columns, size)
        emotion = labels.read(label)
    except InputError as error:
        return Entry(_name_row(row), "", None), str(error)
    return Entry(_name_row(row), emotion, split, label), pixels


def _name_row(row: Row) -> str:
    return f"row {row[0]}"


def _parse_fields(fields: Sequence[bytes], columns: Columns, size: int) -> tuple[str, str | None, np.ndarray]:
    if len(fields) != columns.total:
        raise InputError(f"the row has {len(fields)} values, expected {columns.total}")
    split = None if columns.usage is None else _parse_usage(_text(fields[columns.usage]))
    return _text(fields[columns.emotion]), split, parse_pixels(fields[columns.pixels], size)


def _parse_usage(usage: str) -> str:
    split = SPLIT_NAMES.get(usage.lower())
    if split is None:
        raise InputError(f"Usage {usage!r}, expected Training, PublicTest or PrivateTest")
    return split


def parse_pixels(field: bytes, size: int) -> np.ndarray:
    """Return the numbers in `field` as uint8 (size, size, 1).

    Raises:
        InputError: the field holds anything else than size * size numbers from 0 to 255.
    """
    field = field.strip(AROUND)
    strange = field.translate(None, b"0123456789 ")
    if strange:
        raise InputError(f"the pixels hold {strange[:12].decode('utf-8', 'replace')!r}, expected digits and blanks")
    # Numbers too large for int64 become its largest value, which is refused like all values above 255.
    values = np.fromstring(field, dtype=np.int64, sep=" ") if field else np.empty(0, np.int64)
    if values.size != size * size:
        raise InputError(f"the row has {values.size} pixels, expected {size * size} ({size}x{size})")
    if values.max() > 255:
        raise InputError(f"a pixel of {values.max()}, expected 0 to 255")
    return values.astype(np.uint8).reshape(size, size, 1)


def _text(field: bytes) -> str:
    return field.strip(AROUND).decode("utf-8", "replace")
