"""The header of a JPEG file: its size, its channels, and the blocks that note its orientation."""

from collections.abc import Iterator
from typing import NamedTuple

from emotion.data.orientation import EXIF_PREFIX, OrientationNotes

SIGNATURE = b"\xff\xd8\xff"
FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
LONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
START_OF_SCAN = 0xDA
APP1 = 0xE1
END = b"\xff\xd9"

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
    while position + 9 < len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker in LONE_MARKERS:
            position += 2
        else:
            end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
            yield Segment(marker, position + 4, end)
            if marker == START_OF_SCAN:
                return
            position = end


def _add_note(notes: OrientationNotes, content: bytes) -> OrientationNotes:
    """Return the notes with those of one more segment. The first block of each kind counts."""
    if not notes.exif and content.startswith(EXIF_PREFIX):
        return notes._replace(exif=content)
    if not notes.xmp and content.startswith(XMP_PREFIX):
        return notes._replace(xmp=content)
    return notes
