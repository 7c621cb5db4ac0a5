"""A square cut out of an image: turned, scaled, and with the image's border repeated beyond it."""

import math

import cv2
import numpy as np


def cut_square(image: np.ndarray, center: np.ndarray, side: float, size: int, tilt: float) -> np.ndarray:
    """Return a square of an image, uint8 (size, size, 1 or 3).

    Only the part of the image around the square is touched. It is scaled down before it is turned, which saves memory.

    Args:
        image: uint8 (height, width, 1 or 3).
        center: the center of the square in the image, float64 (2,), as x and y. Corners of pixels have whole numbers.
        side: the side of the square in pixels of the image.
        size: height and width of the result in pixels.
        tilt: the angle in radians by which the square is turned, so that what leans to the right by it is upright.
    """
    reach = side * (abs(math.cos(tilt)) + abs(math.sin(tilt)))
    region, corner, scale = _scaled_region(image, center, reach, min(1.0, size / side))
    # The matrix maps a pixel of the square to one of the region: it turns around the center, then shrinks. Coordinates
    # refer to the centers of pixels.
    turn = np.array([[math.cos(tilt), -math.sin(tilt)], [math.sin(tilt), math.cos(tilt)]]) * (side / size)
    start = (center - corner + turn @ np.full(2, (1 - size) / 2)) * scale - 0.5
    matrix = np.column_stack([turn * scale[:, None], start])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    square = cv2.warpAffine(region, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return square.reshape(size, size, image.shape[2])


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
