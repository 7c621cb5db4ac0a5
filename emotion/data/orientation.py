"""The orientation of an image: found in its EXIF and XMP blocks, and applied to its pixels.

Every format takes the same rule. EXIF decides where it has an orientation, and XMP where it has none. A value outside
of 1 to 8 counts as 1, upright.
"""

import re
from typing import NamedTuple

import cv2
import numpy as np

from emotion.data.tiff_header import ORIENTATION, read_tags

EXIF_PREFIX = b"Exif\0"
"""The start of an EXIF block in a JPEG file, before one more byte. Some programs write it in other files too."""

XMP_ORIENTATION = re.compile(
    rb"""tiff:Orientation\s*=\s*["']\s*(\d{1,4})\s*["'] | <tiff:Orientation[^<>]*>\s*(\d{1,4})\s*</""", re.VERBOSE
)
"""The orientation in XMP, as an attribute or as an element."""

UPRIGHT = 1

LEFT_RIGHT, TOP_BOTTOM = 1, 0
"""The sides that `cv2.flip` exchanges."""

TURNS: dict[int, tuple[int | None, int | None]] = {
    2: (None, LEFT_RIGHT),
    3: (cv2.ROTATE_180, None),
    4: (None, TOP_BOTTOM),
    5: (cv2.ROTATE_90_CLOCKWISE, LEFT_RIGHT),
    6: (cv2.ROTATE_90_CLOCKWISE, None),
    7: (cv2.ROTATE_90_CLOCKWISE, TOP_BOTTOM),
    8: (cv2.ROTATE_90_COUNTERCLOCKWISE, None),
}
"""By orientation, the rotation that makes an image upright, and the sides that are exchanged then."""


class OrientationNotes(NamedTuple):
    """The blocks of a file in which its orientation may be noted; empty where the file has none.

    Attributes:
        exif: with or without EXIF_PREFIX.
        xmp: a packet of XMP.
    """

    exif: bytes = b""
    xmp: bytes = b""


def find_orientation(notes: OrientationNotes) -> int:
    """Return the orientation of an image as EXIF counts it: 1 to 8, where 1 is upright."""
    found = _read_exif(notes.exif)
    if found is None:
        found = _read_xmp(notes.xmp)
    return found if found is not None and 1 <= found <= 8 else UPRIGHT


def _read_exif(block: bytes) -> int | None:
    """Return the orientation that EXIF notes, 0 for one that is no number, or None where it has none."""
    start = len(EXIF_PREFIX) + 1 if block.startswith(EXIF_PREFIX) else 0
    tags = read_tags(block[start:])
    return (tags[ORIENTATION] or 0) if ORIENTATION in tags else None


def _read_xmp(packet: bytes) -> int | None:
    match = XMP_ORIENTATION.search(packet)
    return int(match[1] or match[2]) if match else None


def turn_upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """Return the pixels of an image as they are to be seen.

    Args:
        image: uint8 (height, width, channels), as stored.
        orientation: 1 to 8, as EXIF counts.

    Returns:
        uint8, for 5 to 8 of shape (width, height, channels); `image` itself for 1.
    """
    rotation, sides = TURNS.get(orientation, (None, None))
    turned = image if rotation is None else cv2.rotate(image, rotation)
    turned = turned if sides is None else cv2.flip(turned, sides)
    return turned.reshape(*turned.shape[:2], image.shape[2])
