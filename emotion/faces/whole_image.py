"""Detectors for images that are cropped faces already and need no search."""

import numpy as np

from emotion.faces.detection import Box, Detection, Detector

LARGEST_CROP = 128
"""Largest side, in pixels, of images that `auto` takes as cropped faces.

Data sets of cropped faces have 48 (FER2013, CK+48) to 112 pixels. A detector would miss many of these faces, since it
needs a border around a face. Larger crops need `whole`, since they cannot be distinguished from photos."""

SMALLEST_CROP = 16
"""Smallest side, in pixels, of images that `auto` takes as faces. Smaller images give no face."""


class WholeImageDetector:
    """Takes each image as one face: the choice `whole`."""

    def detect(self, image: np.ndarray, *, level: bool = True) -> list[Detection]:
        """Return the whole of `image`, (height, width, ...), as its one face."""
        return [whole_image(image)]


class AutoDetector:
    """Takes small images as faces, and searches the others: the choice `auto`.

    Args:
        default: the detector for images with a side above LARGEST_CROP.
    """

    def __init__(self, default: Detector) -> None:
        self._default = default

    def detect(self, image: np.ndarray, *, level: bool = True) -> list[Detection]:
        """Return the faces in `image`, uint8 (height, width, 1 or 3), the largest first, with tilts if `level`."""
        sides = image.shape[:2]
        if max(sides) > LARGEST_CROP:
            return self._default.detect(image, level=level)
        return [whole_image(image)] if min(sides) >= SMALLEST_CROP else []


def whole_image(image: np.ndarray) -> Detection:
    """Return the whole of `image`, (height, width, ...), as a face."""
    return Detection(Box(0, 0, image.shape[1], image.shape[0]))
