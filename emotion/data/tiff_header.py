"""The tags in the first directory of a TIFF file. EXIF and most camera raws have the form of a TIFF file too."""

import struct
from typing import NamedTuple

SUBFILE_TYPE, WIDTH, HEIGHT, BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
MAKE, ORIENTATION, PLANAR_CONFIGURATION, SUB_IFDS, SAMPLE_FORMAT, DNG_VERSION = 271, 274, 284, 330, 339, 50706

SIGNED, FLOATING_POINT = 2, 3
"""Values of SAMPLE_FORMAT. Without the tag, pixels are unsigned whole numbers."""

SENSOR_PATTERN = 32803
"""The value of PHOTOMETRIC where pixels are those of the sensor, one color each."""

RAW_COMPRESSIONS = frozenset({32767, 34713, 65535})
"""Values of COMPRESSION by Sony, Nikon and Pentax."""

MOST_TAGS = 512
"""The number of tags that are read; files of cameras have a few dozen."""

NUMBER_FORMATS = {1: "B", 3: "H", 4: "I"}
"""The types of tags that hold whole numbers, as `struct` names them."""


class Form(NamedTuple):
    """The form of the numbers in a file, as `struct` names them.

    Attributes:
        start: the position of the address of the first directory.
        address: the form of an address.
        counted: the form of the number of tags.
        tag: the form of a tag up to its value: its number, its type and its length.
    """

    start: int
    address: str
    counted: str
    tag: str


CLASSIC, BIG = Form(4, "I", "H", "HHI"), Form(8, "Q", "Q", "HHQ")
"""The forms of TIFF and of BigTIFF."""

SIGNATURES = {b"II*\0": ("<", CLASSIC), b"MM\0*": (">", CLASSIC), b"II+\0": ("<", BIG), b"MM\0+": (">", BIG)}
"""The byte order and the form of a file by its first bytes."""


def read_tags(data: bytes) -> dict[int, int | None]:
    """Return the tags of the first directory of a TIFF or BigTIFF file, in either byte order.

    The value is the first whole number of a tag, and None for a tag without one. A file that is cut off gives the tags
    before the cut, and other bytes give none.
    """
    tags: dict[int, int | None] = {}
    if data[:4] not in SIGNATURES:
        return tags
    order, form = SIGNATURES[data[:4]]
    head = struct.calcsize(order + form.tag)
    step = head + struct.calcsize(order + form.address)
    try:
        (start,) = struct.unpack_from(order + form.address, data, form.start)
        (count,) = struct.unpack_from(order + form.counted, data, start)
        first = start + struct.calcsize(order + form.counted)
        for position in range(first, first + step * min(count, MOST_TAGS), step):
            tag, kind, length = struct.unpack_from(order + form.tag, data, position)
            code = NUMBER_FORMATS.get(kind)
            tags.setdefault(tag, _read_number(data, order, form.address, position + head, code, length))
    except struct.error:
        pass
    return tags


def _read_number(data: bytes, order: str, address: str, position: int, code: str | None, length: int) -> int | None:
    """Return the first number of a tag. Numbers that need more room lie elsewhere, and the tag says where."""
    if code is None or length == 0:
        return None
    if length * struct.calcsize(code) > struct.calcsize(order + address):
        (position,) = struct.unpack_from(order + address, data, position)
    number: int = struct.unpack_from(f"{order}{code}", data, position)[0]
    return number


def is_camera_raw(tags: dict[int, int | None]) -> bool:
    """Return whether a TIFF file with these tags holds the pixels of a camera's sensor: DNG, NEF, ARW and their like.

    Decoders of TIFF read the small preview in such files.
    """
    preview_first = tags.get(SUBFILE_TYPE) == 1 and SUB_IFDS in tags and MAKE in tags
    return (
        DNG_VERSION in tags
        or tags.get(PHOTOMETRIC) == SENSOR_PATTERN
        or tags.get(COMPRESSION) in RAW_COMPRESSIONS
        or preview_first
    )
