"""The interface of face detectors: boxes in pixels of the image, and tilts."""

from typing import NamedTuple, Protocol, Self

import numpy as np

Point = tuple[float, float]
"""(x, y) in pixels of an image."""


class Landmarks(NamedTuple):
    """Five points of a face, each (x, y) in pixels of the image. Left and right are those of the image."""

    left_eye: Point
    right_eye: Point
    nose: Point
    left_mouth: Point
    right_mouth: Point


class Box(NamedTuple):
    """A rectangle in pixels of the image; `x` and `y` are its upper left corner.

    The box of a face at the image's border may reach beyond the image.
    """

    x: int
    y: int
    width: int
    height: int


class Detection(NamedTuple):
    """A face in an image.

    Attributes:
        box: a square with the framing of FER2013.
        tilt: the angle in radians by which the crop is turned, so that the face is upright. It is above 0 where the
            face leans to the right. Where the tilt is small or unknown, it is 0.
    """

    box: Box
    tilt: float = 0.0


class RawDetection(NamedTuple):
    """A face in a detector's own framing.

    Attributes:
        x: left border of the box, in pixels of the image.
        y: upper border of the box.
        width: width of the box.
        height: height of the box.
        certainty: a score. Those of different detectors have different scales and cannot be compared.
        landmarks: None where the detector gives none.
        seen_side: pixels of the face in the copy of the image in which it was found; 0 if unknown.
    """

    x: float
    y: float
    width: float
    height: float
    certainty: float
    landmarks: Landmarks | None = None
    seen_side: float = 0.0

    @property
    def side(self) -> float:
        """The mean of width and height."""
        return (self.width + self.height) / 2

    @property
    def center(self) -> np.ndarray:
        """The center of the box, float64 (2,), as x and y."""
        return np.array([self.x + self.width / 2, self.y + self.height / 2])

    def enlarge(self, factor: float) -> Self:
        """Return the same face in an image that is `factor` times as large."""
        x, y, width, height = (factor * value for value in self[:4])
        points = None if self.landmarks is None else [(factor * x, factor * y) for x, y in self.landmarks]
        landmarks = None if points is None else Landmarks(*points)
        return self._replace(x=x, y=y, width=width, height=height, landmarks=landmarks)


class Detector(Protocol):
    """A face detector. Several threads may use it at the same time."""

    def detect(self, image: np.ndarray, *, level: bool = True) -> list[Detection]:
        """Return the faces in `image`, uint8 (height, width, 1 or 3), the largest first.

        The same image gives the same faces. Without `level` no tilt is measured, which saves time.
        """
        ...
