"""The smaller copy of a large image that detectors search. What a model takes is never cropped from it."""

import math

import cv2
import numpy as np

WORKING_PIXELS = 2**21
"""Larger images are searched in a copy of about this many pixels, 1920 x 1080: it bounds time and memory."""


def shrink_to_search(image: np.ndarray) -> tuple[np.ndarray, float]:
    """Return `image`, (height, width, ...), or a smaller copy where it is large; and the scale of that, at most 1."""
    height, width = image.shape[:2]
    return scale_down(image, min(1.0, math.sqrt(WORKING_PIXELS / (height * width))))


def scale_down(image: np.ndarray, scale: float) -> tuple[np.ndarray, float]:
    """Return `image`, (height, width, ...), at `scale`, at most 1; and that scale."""
    if scale == 1:
        return image, 1.0
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return small.reshape(small.shape[:2] + image.shape[2:]), scale
