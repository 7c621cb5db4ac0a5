"""The tags in the first directory of a TIFF file. Camera raws and EXIF have the form of a TIFF file too."""

import struct

SUBFILE_TYPE, COMPRESSION, PHOTOMETRIC, MAKE, ORIENTATION, SUB_IFDS = 254, 259, 262, 271, 274, 330
DNG_VERSION = 50706

SENSOR_PATTERN = 32803
"""The value of PHOTOMETRIC where pixels are those of the sensor, one color each."""

RAW_COMPRESSIONS = frozenset({32767, 34713, 65535})
"""Values of COMPRESSION by Sony, Nikon and Pentax."""

MOST_TAGS = 512
"""The number of tags that are read; files of cameras have a few dozen."""


def read_tags(data: bytes) -> dict[int, int | None]:
    """Return the tags of the first directory of a TIFF file, in either byte order.

    The value is that of a tag with one short or one long number, and None for any other tag. A file that is cut off
    gives the tags before the cut, and other bytes give none.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    tags: dict[int, int | None] = {}
    try:
        if order is None:
            return tags
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        for position in range(start + 2, start + 2 + 12 * min(count, MOST_TAGS), 12):
            tag, kind, length = struct.unpack_from(f"{order}HHI", data, position)
            code = {3: "H", 4: "I"}.get(kind) if length == 1 else None
            value = struct.unpack_from(f"{order}{code}", data, position + 8)[0] if code else None
            tags.setdefault(tag, value)
    except struct.error:
        pass
    return tags


def is_camera_raw(data: bytes) -> bool:
    """Return whether a TIFF file holds the pixels of a camera's sensor: DNG, NEF, ARW, PEF and their like.

    Decoders of TIFF read the small preview in such files.
    """
    tags = read_tags(data)
    preview_first = tags.get(SUBFILE_TYPE) == 1 and SUB_IFDS in tags and MAKE in tags
    return (
        DNG_VERSION in tags
        or tags.get(PHOTOMETRIC) == SENSOR_PATTERN
        or tags.get(COMPRESSION) in RAW_COMPRESSIONS
        or preview_first
    )
