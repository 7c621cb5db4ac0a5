"""Images in which motion can be measured, and boxes in them."""

import cv2
import numpy as np

SIZE = 240, 320
BOX = np.array([120.0, 80.0, 60.0, 60.0, 0.0])
"""A box as `Track.box` holds it."""


def texture(size: tuple[int, int] = SIZE, seed: int = 0, grain: float = 9) -> np.ndarray:
    """Return an image that motion shows in, uint8 (height, width, 3)."""
    noise = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), grain / 3).astype(float)
    scaled: np.ndarray = 255 * (smooth - smooth.min()) / np.ptp(smooth)
    return scaled.astype(np.uint8)


def moved(image, shift=(0.0, 0.0), growth=1.0, center=(150.0, 110.0)):
    """Return `image` after it grew about `center` and was shifted by (x, y)."""
    (x, y), (right, down) = center, shift
    matrix = np.array([[growth, 0, x - growth * x + right], [0, growth, y - growth * y + down]])
    return cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
