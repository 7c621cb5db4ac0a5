"""The header of a JPEG file: its size, its channels, and the blocks that note its orientation."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from emotion.data.orientation import EXIF_PREFIX, OrientationNotes

SIGNATURE = b"\xff\xd8\xff"
FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
LONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
START_OF_SCAN = 0xDA
APP1 = 0xE1
END = b"\xff\xd9"

FILL_BYTES = re.compile(rb"\xff+")
"""The bytes before a marker: one, and more in rare files."""

MOST_SEGMENTS = 10_000
"""The number of segments that are read. A file of the largest size has a tenth of them."""

XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
"""The start of an XMP block. Long XMP goes on in blocks with another start, which hold no orientation."""


class JpegHeader(NamedTuple):
    """The header of a JPEG file.

    Attributes:
        sizes: width and height of each frame, one in a sound file.
        channels: of the last frame; 0 where there is none.
        is_complete: whether the file has an end.
        notes: where the orientation may be noted.
    """

    sizes: list[tuple[int, int]]
    channels: int
    is_complete: bool
    notes: OrientationNotes


class Segment(NamedTuple):
    """A part of the header; its content is at `start` to `end`."""

    marker: int
    start: int
    end: int


def read_jpeg_header(data: bytes) -> JpegHeader:
    """Return the header of the JPEG file `data`, as far as it can be read. Nothing is decoded."""
    sizes: list[tuple[int, int]] = []
    channels = end = 0
    notes = OrientationNotes()
    for marker, start, end in _segments(data):
        if marker in FRAME_MARKERS:
            height, width = (int.from_bytes(data[place : place + 2], "big") for place in (start + 1, start + 3))
            sizes.append((width, height))
            channels = data[start + 5]
        elif marker == APP1:
            notes = _add_note(notes, data[start:end])
    # The end marker is searched behind the header, since a thumbnail in the header has an end marker too.
    return JpegHeader(sizes, channels, data.rfind(END, end) >= 0, notes)


def _segments(data: bytes) -> Iterator[Segment]:
    """Yield the segments of the header, up to the start of the pixels."""
    position = len(SIGNATURE) - 1
    for _ in range(MOST_SEGMENTS):
        fill = FILL_BYTES.match(data, position)
        if fill is None or fill.end() + 8 >= len(data):
            return
        start = fill.end() + 3
        marker = data[start - 3]
        if marker in LONE_MARKERS:
            position = start - 2
            continue
        position = start - 2 + int.from_bytes(data[start - 2 : start], "big")
        yield Segment(marker, start, position)
        if marker == START_OF_SCAN:
            return


def _add_note(notes: OrientationNotes, content: bytes) -> OrientationNotes:
    """Return the notes with those of one more segment. The first block of each kind counts."""
    if not notes.exif and content.startswith(EXIF_PREFIX):
        return notes._replace(exif=content)
    if not notes.xmp and content.startswith(XMP_PREFIX):
        return notes._replace(xmp=content)
    return notes
