"""The crop of a face for a model, from a photo or a frame of a video or camera.

The crop is a square around the face. It is turned so that a tilted face is upright, and resized like the images of the
pipeline.
"""

import math

import cv2
import numpy as np

from emotion.data.images import to_input
from emotion.faces.detection import Box, Detection
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
    side = max(1, round(max(detection.box.width, detection.box.height) * (1 + 2 * margin)))
    shown = min(side, LARGEST_SIDE)
    angle = detection.tilt
    center = _center(detection.box, side)
    reach = side * (abs(math.cos(angle)) + abs(math.sin(angle)))
    region, corner, scale = _scaled_region(image, center, reach, shown / side)
    # The matrix maps a pixel of the crop to one of the region: it turns around the center, then shrinks. Coordinates
    # refer to the centers of pixels.
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) * (side / shown)
    start = (center - corner + turn @ np.full(2, (1 - shown) / 2)) * scale - 0.5
    matrix = np.column_stack([turn * scale[:, None], start])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(region, matrix, (shown, shown), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return to_input(crop.reshape(shown, shown, image.shape[2]), size, color)


def _center(box: Box, side: int) -> np.ndarray:
    """Return the center (x, y) of the square of `side` pixels around a box. Its corners lie between pixels."""
    return np.array([round(box.x + (box.width - side) / 2), round(box.y + (box.height - side) / 2)]) + side / 2


def _scaled_region(
    image: np.ndarray, center: np.ndarray, side: float, scale: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the region of an image that a square covers, at a smaller scale.

    Returns:
        The region, the position (x, y) of its upper left corner in the image, and its scale (x, y). The region has at
        least one pixel, even where the square lies beyond the image. Its scale differs a little from `scale`, since
        its sides are whole pixels.
    """
    size = np.array([image.shape[1], image.shape[0]])
    # One more pixel on each side, since a turned crop interpolates between neighbors.
    corner = np.clip(np.floor(center - side / 2).astype(int) - 1, 0, size - 1)
    end = np.clip(np.ceil(center + side / 2).astype(int) + 1, corner + 1, size)
    region = image[corner[1] : end[1], corner[0] : end[0]]
    if scale == 1:
        return region, corner, np.ones(2)
    smaller = np.maximum(1, np.rint((end - corner) * scale)).astype(int)
    return cv2.resize(region, smaller.tolist(), interpolation=cv2.INTER_AREA), corner, smaller / (end - corner)
