"""The tags in the first directory of a TIFF file. EXIF and most camera raws have the form of a TIFF file too."""

import struct

SUBFILE_TYPE, COMPRESSION, PHOTOMETRIC, MAKE, ORIENTATION, SUB_IFDS = 254, 259, 262, 271, 274, 330
SAMPLE_FORMAT, DNG_VERSION = 339, 50706

FLOATING_POINT = 3
"""The value of SAMPLE_FORMAT where pixels are floating-point numbers."""

SENSOR_PATTERN = 32803
"""The value of PHOTOMETRIC where pixels are those of the sensor, one color each."""

RAW_COMPRESSIONS = frozenset({32767, 34713, 65535})
"""Values of COMPRESSION by Sony, Nikon and Pentax."""

MOST_TAGS = 512
"""The number of tags that are read; files of cameras have a few dozen."""

NUMBER_FORMATS = {1: "B", 3: "H", 4: "I"}
"""The types of tags that hold whole numbers, as `struct` names them."""


def read_tags(data: bytes) -> dict[int, int | None]:
    """Return the tags of the first directory of a TIFF file, in either byte order.

    The value is the first whole number of a tag, and None for a tag without one. A file that is cut off gives the tags
    before the cut, and other bytes give none.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    tags: dict[int, int | None] = {}
    if order is None:
        return tags
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        for position in range(start + 2, start + 2 + 12 * min(count, MOST_TAGS), 12):
            tag, kind, length = struct.unpack_from(f"{order}HHI", data, position)
            tags.setdefault(tag, _read_number(data, order, position + 8, NUMBER_FORMATS.get(kind), length))
    except struct.error:
        pass
    return tags


def _read_number(data: bytes, order: str, position: int, code: str | None, length: int) -> int | None:
    """Return the first number of a tag. More than four bytes of numbers lie elsewhere, and the tag says where."""
    if code is None or length == 0:
        return None
    if length * struct.calcsize(code) > 4:
        (position,) = struct.unpack_from(f"{order}I", data, position)
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
