"""The markers of a JPEG file: its end, the number of its scans, and the blocks that note its orientation.

The decoder knows the size. These readers go from marker to marker as libjpeg does, which skips all bytes before one.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from emotion.data.orientation import EXIF_PREFIX, OrientationNotes

SIGNATURE = b"\xff\xd8\xff"
LONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
APP1 = 0xE1
SCAN = bytes((0xFF, START_OF_SCAN))
END = bytes((0xFF, END_OF_IMAGE))

MARKER = re.compile(rb"\xff+([^\x00\xff])")
"""A marker, after any number of fill bytes. FF 00 is none: it stands for the byte FF in pixels."""

MOST_SEGMENTS = 10_000
"""The number of segments that are read. The header of a file of the largest size has a tenth of them."""

XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
"""The start of an XMP block. Long XMP goes on in blocks with another start, which hold no orientation."""


class JpegHeader(NamedTuple):
    """The facts about a JPEG file that its decoder does not tell.

    Attributes:
        is_complete: whether the file has an end.
        notes: where the orientation may be noted.
    """

    is_complete: bool
    notes: OrientationNotes


class Segment(NamedTuple):
    """A part of the file; its content is at `start` to `end`."""

    marker: int
    start: int
    end: int


def read_jpeg_header(data: bytes) -> JpegHeader:
    """Return the header of the JPEG file `data`, as far as it can be read. Nothing is decoded."""
    end = 0
    notes = OrientationNotes()
    for marker, start, end in _segments(data):
        if marker == START_OF_SCAN:
            break
        if marker == APP1:
            notes = _add_note(notes, data[start:end])
    # The end marker is searched behind the header, since a thumbnail in the header has an end marker too.
    return JpegHeader(data.rfind(END, end) >= 0, notes)


def count_scans(data: bytes, few: int) -> int:
    """Return the number of scans, the passes in which a JPEG file gives its pixels; up to `few` it may be too high.

    The bytes FF DA are as many or more, and quick to count. A file that has more than `few` of them, such as one with a
    video behind its end, is read from marker to marker.
    """
    most = data.count(SCAN)
    if most <= few:
        return most
    markers = [segment.marker for segment in _segments(data)]
    return markers.count(START_OF_SCAN) if len(markers) < MOST_SEGMENTS else most


def _segments(data: bytes) -> Iterator[Segment]:
    """Yield the segments of a JPEG file up to its end, at most MOST_SEGMENTS. Pixels lie between them."""
    position = len(SIGNATURE) - 1
    for _ in range(MOST_SEGMENTS):
        marker = MARKER.search(data, position)
        if marker is None or marker.end() + 2 > len(data) or marker[1][0] == END_OF_IMAGE:
            return
        position = start = marker.end()
        if marker[1][0] not in LONE_MARKERS:
            start += 2
            position += max(2, int.from_bytes(data[position:start], "big"))
        yield Segment(marker[1][0], start, position)


def _add_note(notes: OrientationNotes, content: bytes) -> OrientationNotes:
    """Return the notes with those of one more segment. The first block of each kind counts."""
    if not notes.exif and content.startswith(EXIF_PREFIX):
        return notes._replace(exif=content)
    if not notes.xmp and content.startswith(XMP_PREFIX):
        return notes._replace(xmp=content)
    return notes
