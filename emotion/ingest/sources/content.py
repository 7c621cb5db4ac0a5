"""The content of an image for the table: its shape, hash and, of a small one, its pixels."""

import numpy as np

from emotion.ingest.near_copies import perceptual_hash
from emotion.ingest.sources.pixel_hash import hash_pixels
from emotion.ingest.sources.source import Content, Entry

SMALL_IMAGE = 64 * 64
"""Number of pixels up to which images are stored when they are read. Larger images are read again when needed."""


NO_FACE = "no face found"
"""The start of the reason why an image is rejected in which no face was found."""


def content_of(image: np.ndarray, entry: Entry, near_copies: bool = False) -> Content:
    """Return the content of `image`, uint8 (height, width, channels), which `entry` names, for the table.

    The perceptual hash takes longer than all else, so it is there only where `near_copies` is true.
    """
    height, width, channels = image.shape
    near = perceptual_hash(image) if near_copies else ""
    if height * width > SMALL_IMAGE:
        return Content(height, width, channels, hash_pixels(image), bool((image == image[0, 0]).all()), b"", "", near)
    pixels = image.tobytes()
    blank = pixels == pixels[:channels] * (height * width)
    return Content(height, width, channels, hash_pixels(image), blank, pixels, "", near)


def rejected(reason: str) -> Content:
    """Return the content of an unusable image, with the reason."""
    return Content(0, 0, 0, "", False, b"", reason)
