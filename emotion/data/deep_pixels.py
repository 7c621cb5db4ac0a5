"""Images with more than 8 bits a pixel: their decoding with OpenCV, and their range.

Pillow drops the low bits of 16-bit colors, and knows no floating-point colors.
"""

import cv2
import numpy as np

from emotion.data.image_errors import UNREAD, ImageError
from emotion.data.tiff_header import (
    BITS_PER_SAMPLE,
    FLOATING_POINT,
    PHOTOMETRIC,
    PLANAR_CONFIGURATION,
    SAMPLE_FORMAT,
    SIGNED,
)

UNSIGNED_BITS = 16
"""Bits of whole numbers above which their range is not known."""

WHITE_IS_ZERO, BLACK_IS_ZERO, COLORS = 0, 1, 2
"""Values of PHOTOMETRIC."""

SEPARATE_PLANES = 2
"""The value of PLANAR_CONFIGURATION where the colors lie one after the other."""

SHALLOW_BITS = (8, 12)
"""Depths that are recognized in 16 bits: with 12 bits at most 16 of 256 levels would be left."""

SAVE_SHALLOW = "save the image with 8 or 16 bits, unsigned"


def is_deep_tiff(tags: dict[int, int | None]) -> bool:
    """Return whether a TIFF file with these tags is gray or RGB with more than 8 bits, or with signed pixels.

    Raises:
        ImageError: it is, and its pixels are not read.
    """
    bits, kind = tags.get(BITS_PER_SAMPLE) or 1, tags.get(SAMPLE_FORMAT)
    deep = bits > 8 or kind in (SIGNED, FLOATING_POINT)
    if not deep or tags.get(PHOTOMETRIC) not in (WHITE_IS_ZERO, BLACK_IS_ZERO, COLORS):
        return False
    if kind == SIGNED:
        raise refuse(f"a TIFF image with signed pixels, which have no known range; {SAVE_SHALLOW}")
    if kind == FLOATING_POINT and bits < 32:
        raise refuse(f"a TIFF image with floating-point pixels of {bits} bits; {SAVE_SHALLOW}")
    if kind != FLOATING_POINT and bits > UNSIGNED_BITS:
        raise refuse(f"a TIFF image with {bits}-bit pixels, which have no known range; {SAVE_SHALLOW}")
    if tags[PHOTOMETRIC] == WHITE_IS_ZERO or tags.get(PLANAR_CONFIGURATION) == SEPARATE_PLANES:
        raise refuse(f"a TIFF image with {bits} bits and white as zero, or colors in planes; save it as PNG")
    return True


def refuse(description: str) -> ImageError:
    """Return the refusal of an image that is known and not read, with the way out in its description."""
    return ImageError(f"{UNREAD}: it is {description}")


def decode_deep(data: bytes) -> np.ndarray | None:
    """Return the image in a PNG or TIFF file with deep pixels, with a white background where it is transparent.

    The orientation that a TIFF file notes is applied.

    Returns:
        uint8 of shape (height, width, 1) for gray or (height, width, 3) for RGB; None where it does not decode.

    Raises:
        ImageError: the pixels have no known range.
    """
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if image is None:
        return None
    shallow = to_eight_bits(image)
    if shallow.ndim == 2:
        return shallow[:, :, None]
    colors = cv2.cvtColor(shallow[:, :, :3], cv2.COLOR_BGR2RGB)
    return colors if shallow.shape[2] == 3 else _lay_on_white(colors, shallow[:, :, 3:])


def _lay_on_white(colors: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    share = opacity.astype(np.float32) / 255
    return np.rint(colors * share + 255 * (1 - share)).astype(np.uint8)


def to_eight_bits(pixels: np.ndarray) -> np.ndarray:
    """Return pixels of any type as uint8, by a range that their values show.

    16-bit pixels below 256 are taken for 8 bits, and those below 4096 for 12 bits. Floating-point pixels range from 0
    to 1, or to 255 where one is above 1.

    Raises:
        ImageError: floating-point pixels lie outside of both ranges, or the type is another one.
    """
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.uint16:
        highest = int(pixels.max())
        bits = next((bits for bits in SHALLOW_BITS if highest < 2**bits), 16)
        return (pixels >> (bits - 8)).astype(np.uint8)
    if pixels.dtype.kind != "f":
        raise refuse(f"an image with pixels of {pixels.dtype}, which have no known range; {SAVE_SHALLOW}")
    low, high = float(pixels.min()), float(pixels.max())
    # A pixel that is no number makes both of them no number.
    if not (low >= 0 and high <= 255):
        raise refuse(
            f"an image with floating-point pixels from {low:g} to {high:g}, expected 0 to 1 or 0 to 255; {SAVE_SHALLOW}"
        )
    shallow: np.ndarray = np.rint(pixels * 255 if high <= 1 else pixels).astype(np.uint8)
    return shallow
