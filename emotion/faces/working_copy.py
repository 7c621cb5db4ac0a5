"""The smaller copy of a large image that detectors search. Faces for a model are cropped from the original."""

import math

import cv2
import numpy as np

WORKING_PIXELS = 2**21
"""Number of pixels of the copy in which larger images are searched, about 1920 x 1080. It bounds time and memory."""


def shrink_to_search(image: np.ndarray) -> tuple[np.ndarray, float]:
    """Return `image`, (height, width, ...), or a smaller copy where it is large; and its scale, at most 1."""
    height, width = image.shape[:2]
    return scale_down(image, min(1.0, math.sqrt(WORKING_PIXELS / (height * width))))


def scale_down(image: np.ndarray, scale: float) -> tuple[np.ndarray, float]:
    """Return `image`, (height, width, ...), scaled by `scale`, at most 1; and that scale."""
    if scale == 1:
        return image, 1.0
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return small.reshape(small.shape[:2] + image.shape[2:]), scale
