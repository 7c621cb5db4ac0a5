"""The crop of a face for a model, from a photo or a frame of a video or camera.

The crop is a square around the face. It is turned so that a tilted face is upright, and resized like the images of the
pipeline.
"""

import numpy as np

from emotion.data.images import to_input
from emotion.faces.detection import Box, Detection
from emotion.faces.turned_square import cut_square
from emotion.faces.whole_image import whole_image

LARGEST_SIDE = 1024
"""Largest side of a crop before the final resize, in pixels. Larger squares are scaled down first to save memory."""


def crop_face(image: np.ndarray, detection: Detection, margin: float, size: int, color: str) -> np.ndarray:
    """Return the crop of a face as the input of a model, uint8 (size, size, 1 or 3).

    The arguments are those of `align_crop`. An image that is one whole face gets no margin.
    """
    if detection == whole_image(image):
        return to_input(image, size, color)
    return align_crop(image, detection, margin, size, color)


def align_crop(image: np.ndarray, detection: Detection, margin: float, size: int, color: str) -> np.ndarray:
    """Return the square around a face, leveled, uint8 (size, size, 1 or 3).

    Args:
        image: uint8 (height, width, 1 or 3).
        detection: the face. The crop is turned by its tilt around the center of the box.
        margin: added on each side, as a share of the box's longer side. Pixels beyond the image repeat its border.
        size: height and width of the result in pixels.
        color: `grayscale` or `rgb`.
    """
    return to_input(cut_face(image, detection, margin), size, color)


def cut_face(image: np.ndarray, detection: Detection, margin: float) -> np.ndarray:
    """Return the square that `align_crop` resizes: uint8 (side, side, 1 or 3), with a side up to LARGEST_SIDE."""
    side = max(1, round(max(detection.box.width, detection.box.height) * (1 + 2 * margin)))
    return cut_square(image, _center(detection.box, side), side, min(side, LARGEST_SIDE), detection.tilt)


def _center(box: Box, side: int) -> np.ndarray:
    """Return the center (x, y) of the square of `side` pixels around a box. Its corners lie between pixels."""
    return np.array([round(box.x + (box.width - side) / 2), round(box.y + (box.height - side) / 2)]) + side / 2
