"""FER2013's form: a CSV file with a row per image, its pixels written out as numbers."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from math import isqrt
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from emotion.core.errors import InputError
from emotion.core.labels import parse_emotion
from emotion.data.images import silence_opencv
from emotion.ingest.sources.archives import (
    BlockReader,
    blocks_of,
    damage_explained,
    gunzip,
    open_member,
    open_zip,
    tar_members,
    zip_files,
)
from emotion.ingest.sources.contents import BATCH, SPLIT_NAMES, Batch, Content, Convert, Entry, content_of, rejected
from emotion.parallel.read_ahead import read_ahead

FER2013_FILES = ("fer2013.csv", "icml_face_data.csv")
"""Files that are taken where an archive holds other CSV files too."""

MAX_LINE = 16 * 2**20
"""Bytes of a row at most: an image of 2048x2048, with three digits and a blank for each pixel."""

END = 65534
"""A number that no pixel has."""

Pixels = np.ndarray | str
"""The pixels of a row, or why it has none."""


class Columns(NamedTuple):
    """At which place of a row each value stands, and how many there are."""

    total: int
    emotion: int
    pixels: int
    usage: int | None


class CsvSource:
    """The rows of a CSV file, which may lie in a zip, a tar.gz or a gz."""

    count: int | None = None

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path

    def batches(self) -> Iterator[Batch]:
        rows = ((entry, self._content(pixels)) for entry, pixels in self._rows())
        while batch := [row for _, row in zip(range(BATCH), rows, strict=False)]:
            yield batch

    def read_again(self, names: Sequence[str], convert: Convert) -> Iterator[np.ndarray]:
        wanted = iter(names)
        name = next(wanted, None)
        rows = self._rows() if name is not None else iter(())
        for entry, pixels in rows:
            if entry.image == name:
                if isinstance(pixels, str):
                    raise InputError(f"{self.name}: {name}: {pixels}; run create_dataframe again")
                yield convert(pixels)
                name = next(wanted, None)
        if name is not None:
            raise InputError(f"{self.name}: {name} is no longer there; run create_dataframe again")

    @staticmethod
    def _content(pixels: Pixels) -> Content:
        return rejected(pixels) if isinstance(pixels, str) else content_of(pixels)

    def _rows(self) -> Iterator[tuple[Entry, Pixels]]:
        blocks = read_ahead(_explained(csv_blocks(self._path), self.name))
        return read_rows(blocks, self.name)


def _explained(blocks: Iterator[bytes], name: str) -> Iterator[bytes]:
    with damage_explained(name):
        yield from blocks


def csv_blocks(path: Path) -> Iterator[bytes]:
    """Give the bytes of the CSV file at `path`, or of the one inside the archive there, block by block.

    Raises:
        InputError: the archive holds no CSV file, or several and none of FER2013's names.
    """
    if path.name.lower().endswith(".zip"):
        with open_zip(path) as archive:
            member = choose_member(str(path), zip_files(archive))
            with open_member(archive, member) as file:
                yield from _unpacked(blocks_of(file), member, f"{path}: {member}")
    else:
        with path.open("rb") as file:
            yield from _unpacked(blocks_of(file), path.name, str(path))


def _unpacked(blocks: Iterator[bytes], name: str, described: str) -> Iterator[bytes]:
    """Unpack `blocks`, the content of a file called `name`, until they are those of a CSV file."""
    if name.lower().endswith((".gz", ".tgz")):
        blocks = gunzip(blocks, described)
    if name.lower().endswith((".tar", ".tar.gz", ".tgz")):
        return _csv_in_tar(blocks, described)
    return blocks


def choose_member(archive: str, names: Sequence[str]) -> str:
    """Return which of the files `names` is read: FER2013's, or else the only CSV file, or else the only tar.gz."""
    tables = [name for name in names if name.lower().endswith(".csv")]
    known = [name for name in tables if name.split("/")[-1].lower() in FER2013_FILES]
    packed = [name for name in names if name.lower().endswith((".tar.gz", ".tgz"))]
    for candidates in (known, tables, packed):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise InputError(f"{archive} holds several tables: {', '.join(candidates)}; unpack the one to read")
    raise InputError(
        f"{archive} holds neither a CSV file nor class folders; found {', '.join(names[:12]) or 'no files at all'}"
    )


def _csv_in_tar(blocks: Iterator[bytes], archive: str) -> Iterator[bytes]:
    """Give the content of the first CSV file of a tar stream, and read the stream to its end."""
    names = []
    tables = []
    for name, content in tar_members(BlockReader(blocks), archive):
        names.append(name)
        if name.lower().endswith(".csv"):
            tables.append(name)
            if len(tables) == 1:
                yield from content
    for _ in blocks:
        pass
    # With others beside it, the one that was read must be one that is known.
    if tables and (len(tables) == 1 or tables[0].split("/")[-1].lower() in FER2013_FILES):
        return
    choose_member(archive, names)
    raise InputError(f"{archive}: {tables[0]} stands before {tables[1]}; unpack the one to read")


def read_rows(blocks: Iterator[bytes], name: str) -> Iterator[tuple[Entry, Pixels]]:
    """Give the images of a CSV text: uint8 (size, size, 1), or a string that says what is wrong with the row.

    All images must have one size, that of most of the first rows.

    Raises:
        InputError: the text is empty, or its first line does not name the columns emotion and pixels.
    """
    lines = read_lines(blocks, name)
    columns = find_columns(next(lines, b""), name)
    first = list(islice(lines, BATCH))
    size = common_size(first, columns)
    for number, line in enumerate(chain(first, lines)):
        if line.strip():
            emotion, split, pixels = read_row(line, columns, size)
            yield Entry(f"row {number}", emotion, split), pixels


def read_lines(blocks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Give the lines of a text that comes in blocks, without their line feeds."""
    rest = b""
    for block in blocks:
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        if len(rest) > MAX_LINE:
            raise InputError(f"{name}: a line of more than {MAX_LINE // 2**20} MiB; this is no table of images")
        yield from lines
    if rest:
        yield rest


def find_columns(header: bytes, name: str) -> Columns:
    """Return where the columns emotion, pixels and Usage stand; case, blanks and quotes do not matter."""
    names = [_text(field).lower() for field in header.removeprefix(b"\xef\xbb\xbf").split(b",")]
    missing = [column for column in ("emotion", "pixels") if names.count(column) != 1]
    if missing or names.count("usage") > 1:
        found = header[:80].decode("utf-8", "replace").strip()
        raise InputError(
            f"{name}: expected a first line with the columns emotion, pixels and, for the split, Usage; found {found!r}"
        )
    usage = names.index("usage") if "usage" in names else None
    return Columns(len(names), names.index("emotion"), names.index("pixels"), usage)


def read_row(line: bytes, columns: Columns, size: int) -> tuple[str, str | None, Pixels]:
    """Return emotion, split and pixels of a row; where the row is bad, a reason in place of the pixels."""
    fields = line.split(b",")
    if len(fields) != columns.total:
        return "", None, f"the row has {len(fields)} values, expected {columns.total}"
    emotion = _text(fields[columns.emotion])
    split = None
    if columns.usage is not None:
        usage = _text(fields[columns.usage])
        split = SPLIT_NAMES.get(usage.lower())
        if split is None:
            return "", None, f"Usage {usage!r}, expected Training, PublicTest or PrivateTest"
    try:
        emotion = parse_emotion(emotion)
    except InputError:
        return "", None, f"the emotion {emotion[:40]!r} is not known"
    return emotion, split, read_pixels(fields[columns.pixels], size)


def read_pixels(field: bytes, size: int) -> Pixels:
    """Return the numbers in `field` as uint8 (size, size, 1); or why it is not size * size numbers from 0 to 255."""
    field = field.strip(b' "\r\t')
    strange = field.translate(None, b"0123456789 ")
    if strange:
        return f"the pixels hold {strange[:12].decode('utf-8', 'replace')!r}, expected digits and blanks"
    pixels = _read_as_pgm(field, size)
    if pixels is not None:
        return pixels
    values = parse_numbers(field)
    if values.size != size * size:
        return f"the row has {values.size} pixels, expected {size * size} ({size}x{size})"
    if values.max() > 255:
        return f"a pixel of {values.max()}, expected 0 to 255"
    return values.astype(np.uint8).reshape(size, size, 1)


def parse_numbers(field: bytes) -> np.ndarray:
    """Return the numbers in `field`, digits and blanks, as flat int64; those too large for it become its largest."""
    return np.fromstring(field, dtype=np.int64, sep=" ") if field else np.empty(0, np.int64)


def _read_as_pgm(field: bytes, size: int) -> np.ndarray | None:
    """Read digits and blanks as OpenCV reads a PGM image: in half the time of numpy, and beside other threads.

    One more pixel, END, is put behind them. Where they are too few, there is no image; where they are too many,
    END is not its last pixel: and None is returned, as it is where a number is above 255.
    """
    if str(END).encode() in field:
        return None
    silence_opencv()
    text = b"P2 %d 1 65535\n%b %d\n" % (size * size + 1, field, END)
    try:
        values = cv2.imdecode(np.frombuffer(text, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if values is None or values[0, -1] != END or values[0, :-1].max() > 255:
        return None
    return values[0, :-1].astype(np.uint8).reshape(size, size, 1)


def common_size(lines: Sequence[bytes], columns: Columns) -> int:
    """Return the height and width that most of the rows in `lines` have; 48 where no row is a square."""
    fields = [line.split(b",")[columns.pixels] for line in lines if line.count(b",") == columns.total - 1]
    numbers = [len(field.strip(b' "\r\t').split()) for field in fields if field.strip(b'0123456789 "\r\t') == b""]
    squares = [count for count, _ in Counter(numbers).most_common() if count and isqrt(count) ** 2 == count]
    return isqrt(squares[0]) if squares else 48


def _text(field: bytes) -> str:
    return field.decode("utf-8", "replace").strip(' "\r\t')
