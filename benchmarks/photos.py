"""Photos that scikit-image brings, free of rights."""

import numpy as np

from emotion.core.errors import InputError

ASTRONAUT = "astronaut"
"""NASA's portrait of Eileen Collins, (512, 512, 3)."""


def load_photo(name: str) -> np.ndarray:
    """Return a photo of `skimage.data`, RGB, uint8 (height, width, 3).

    Raises:
        InputError: scikit-image, which brings it, is not installed.
    """
    try:
        from skimage import data
    except ImportError:
        raise InputError("scikit-image brings the photos; pip install -r requirements-dev.txt") from None
    photo: np.ndarray = getattr(data, name)()[:, :, :3]
    return photo
