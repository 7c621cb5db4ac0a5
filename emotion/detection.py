"""Faces in a picture: where they are, and the crop of each as a model was taught to see faces."""

from typing import NamedTuple, Protocol

import cv2
import numpy as np

from emotion.errors import InputError
from emotion.images import to_input
from emotion.model_form import DETECTORS


class Box(NamedTuple):
    """A rectangle in pixels of the picture; `x` and `y` are its left upper corner."""

    x: int
    y: int
    width: int
    height: int


class Found(NamedTuple):
    """A face that was found: its box, and its eyes, (x, y) each, the one further left in the picture first."""

    box: Box
    eyes: tuple[tuple[float, float], tuple[float, float]] | None = None


class Detector(Protocol):
    """Finds faces."""

    def find(self, image: np.ndarray) -> list[Found]:
        """Return the faces in `image`, uint8 (height, width, 1 or 3), the largest first."""
        ...


def make_detector(name: str, smallest: int) -> Detector:
    """Return the detector called `name`: `cascade`, quick, or `mtcnn`, which needs TensorFlow and knows the eyes.

    Args:
        name: one of DETECTORS.
        smallest: the smallest face that is looked for, in pixels of its box's shorter side.

    Raises:
        InputError: there is no such detector, or what it needs is not installed.
    """
    if name == "cascade":
        return Cascade(smallest)
    raise InputError(f"detector: got {name!r}, expected one of {', '.join(DETECTORS)}")


class Cascade:
    """OpenCV's cascade of boosted Haar features for frontal faces: Viola and Jones 2001."""

    def __init__(self, smallest: int) -> None:
        self._smallest = smallest
        self._cascade = cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_frontalface_default.xml")  # type: ignore[attr-defined]

    def find(self, image: np.ndarray) -> list[Found]:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.shape[2] == 3 else image[:, :, 0]
        boxes = self._cascade.detectMultiScale(grey, 1.1, 5, minSize=(self._smallest, self._smallest))
        found = [Found(Box(*map(int, box))) for box in boxes]
        return sorted(found, key=lambda face: face.box.width * face.box.height, reverse=True)


def cut(image: np.ndarray, found: Found, margin: float, size: int, color: str) -> np.ndarray:
    """Return the crop of a face as a model takes it, uint8 (size, size, 1 or 3).

    Args:
        image: uint8 (height, width, 1 or 3).
        found: the face. With eyes, the crop is turned so that they are level.
        margin: what is added on each side, as a share of the box's side. Beyond the picture its border is repeated.
        size: height and width of the result in pixels.
        color: `grey` or `rgb`.
    """
    x, y, width, height = found.box
    side = round(max(width, height) * (1 + 2 * margin))
    left, top = round(x + width / 2 - side / 2), round(y + height / 2 - side / 2)
    rows = np.clip(np.arange(top, top + side), 0, image.shape[0] - 1)
    columns = np.clip(np.arange(left, left + side), 0, image.shape[1] - 1)
    return to_input(image[rows[:, None], columns], size, color)
