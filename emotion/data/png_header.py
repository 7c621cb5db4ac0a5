"""The header of a PNG file: its size, its pixel type, and the blocks that note its orientation."""

import binascii
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from emotion.data.orientation import EXIF_PREFIX, OrientationNotes

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"IEND"
HEADER_BYTES = 29
"""The signature and the first chunk, up to its last value that is read."""

GRAY, RGB, GRAY_AND_ALPHA = 0, 2, 4

MOST_NOTE_BYTES = 2**20
"""Bytes of a block that are read, after it is unpacked. The orientation lies near the start."""

EXIF_CHUNK, TEXT_CHUNKS = b"eXIf", (b"tEXt", b"zTXt", b"iTXt")
XMP = b"XML:com.adobe.xmp"
PROFILES = (b"Raw profile type exif", b"Raw profile type APP1", b"Raw profile type xmp")
"""Keywords of texts in which ImageMagick keeps EXIF, either of the two, and XMP, as hexadecimal digits."""

MOST_KEYWORD_BYTES = 80

MOST_CHUNKS = 2**17
"""The number of chunks that are read. Encoders cut the pixels of the largest files into fewer."""


class PngHeader(NamedTuple):
    """The header of a PNG file.

    Attributes:
        width: in pixels.
        height: in pixels.
        is_plain: whether the pixels are gray or RGB of 8 bits, without transparency.
        is_deep: whether the pixels are gray, RGB or RGBA of 16 bits, without a color that is transparent.
        is_complete: whether the file has an end.
        notes: where the orientation may be noted.
    """

    width: int
    height: int
    is_plain: bool
    is_deep: bool
    is_complete: bool
    notes: OrientationNotes


def read_png_header(data: bytes) -> PngHeader:
    """Return the header of the PNG file `data`, of HEADER_BYTES or more. No pixel is decoded."""
    depth, color_type = data[24], data[25]
    transparent = False
    blocks: dict[bytes, bytes] = {}
    for kind, start, end in _chunks(data):
        if kind == b"tRNS":
            transparent = True
        elif kind == EXIF_CHUNK:
            blocks.setdefault(kind, data[start : min(end, start + MOST_NOTE_BYTES)])
        elif kind in TEXT_CHUNKS:
            keyword = data[start : min(end, start + MOST_KEYWORD_BYTES)].partition(b"\0")[0]
            # Each is unpacked once, so that a file with many of them costs no more.
            if (keyword == XMP or keyword in PROFILES) and keyword not in blocks:
                blocks[keyword] = _read_text(kind, data[start + len(keyword) + 1 : end])
    return PngHeader(
        int.from_bytes(data[16:20], "big"),
        int.from_bytes(data[20:24], "big"),
        depth == 8 and color_type in (GRAY, RGB) and not transparent,
        depth == 16 and color_type != GRAY_AND_ALPHA and not transparent,
        data.rfind(END) >= 0,
        _choose_notes(blocks),
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the type of each chunk, and where its content starts and ends. Metadata may follow the pixels."""
    position = len(SIGNATURE)
    for _ in range(MOST_CHUNKS):
        if position + 8 > len(data):
            return
        start = position + 8
        end = start + int.from_bytes(data[position : position + 4], "big")
        yield data[position + 4 : start], start, end
        position = end + 4


def _read_text(kind: bytes, content: bytes) -> bytes:
    """Return the text of a chunk, from what follows its keyword."""
    if kind == b"zTXt":
        return _inflate(content[1:])
    if kind == b"iTXt":
        packed, text = content[:1] == b"\1", content[2:].split(b"\0", 2)[-1]
        return _inflate(text) if packed else text[:MOST_NOTE_BYTES]
    return content[:MOST_NOTE_BYTES]


def _inflate(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, MOST_NOTE_BYTES)
    except zlib.error:
        return b""


def _choose_notes(blocks: dict[bytes, bytes]) -> OrientationNotes:
    """Return the notes in the blocks of a file: those of PNG itself before those of ImageMagick."""
    exif, mixed, xmp = (_read_profile(blocks.get(name, b"")) for name in PROFILES)
    if mixed.startswith(EXIF_PREFIX):
        exif = exif or mixed
    else:
        xmp = xmp or mixed
    return OrientationNotes(blocks.get(EXIF_CHUNK) or exif, blocks.get(XMP) or xmp)


def _read_profile(text: bytes) -> bytes:
    """Return the bytes of ImageMagick's profile: an empty line, its type, its length, and lines of digits."""
    digits = b"".join(b"".join(text.split(b"\n", 3)[3:]).split())
    try:
        return binascii.unhexlify(digits[: len(digits) // 2 * 2])
    except binascii.Error:
        return b""
