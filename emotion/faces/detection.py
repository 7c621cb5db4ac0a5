"""The interface of face detectors: boxes and eyes in pixels of the image."""

from typing import NamedTuple, Protocol

import numpy as np

Eyes = tuple[tuple[float, float], tuple[float, float]]
"""(x, y) of both eyes, the one further left in the image first."""


class Box(NamedTuple):
    """A rectangle in pixels of the image; `x` and `y` are its upper left corner.

    The box of a face at the image's border may reach beyond the image.
    """

    x: int
    y: int
    width: int
    height: int


class Detection(NamedTuple):
    """A face in an image: a box with the framing of FER2013, and the eyes where the detector gives them."""

    box: Box
    eyes: Eyes | None = None


class RawDetection(NamedTuple):
    """A face in a detector's own framing: box and eyes in pixels of the image, and a certainty.

    Certainties of different detectors have different scales and cannot be compared.
    """

    x: float
    y: float
    width: float
    height: float
    certainty: float
    eyes: Eyes | None = None

    @property
    def side(self) -> float:
        """The mean of width and height."""
        return (self.width + self.height) / 2


class Detector(Protocol):
    """A face detector. Several threads may use it at the same time."""

    def detect(self, image: np.ndarray) -> list[Detection]:
        """Return the faces in `image`, uint8 (height, width, 1 or 3), the largest first.

        The same image gives the same faces.
        """
        ...
