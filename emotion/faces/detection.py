"""What a face detector takes and gives: boxes and eyes in pixels of the image."""

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
    """A face in an image: a box framed as FER2013 frames faces, and the eyes where the detector gives them."""

    box: Box
    eyes: Eyes | None = None


class RawDetection(NamedTuple):
    """A face as a detector itself frames it: a box and eyes in pixels of the image, and how certain it is.

    Certainties are on the detector's own scale: they order its detections, and no others.
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
    """Detects faces. Several threads may use it at once."""

    def detect(self, image: np.ndarray) -> list[Detection]:
        """Return the faces in `image`, uint8 (height, width, 1 or 3), the largest first.

        The same image gives the same faces.
        """
        ...
