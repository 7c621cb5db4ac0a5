"""Where a face went from one frame to the next: the optical flow inside its box.

The median motion of a grid of points counts, of which only those that find their way back do (median flow: Kalal,
Mikolajczyk and Matas 2010). It takes a fraction of the time that a search for faces does.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

LONGEST_SIDE = 960
"""Pixels of the longer side of the image that motion is measured in; larger images are made smaller."""

GRID = 7
"""Points a side, in the inner part of a face."""

INNER = 0.7
"""The share of a box's side that the points span: further out there is background."""

FEWEST = 0.3
"""The share of points that must find their way back; with fewer the face counts as lost."""

WAY_BACK = 1.0
"""By how many pixels a point may miss where it came from."""

SCALES = (0.8, 1.25)
"""By how much a face may shrink or grow from one frame to the next."""

WINDOW = (15, 15)
LEVELS = 3


class View(NamedTuple):
    """A frame as motion is measured in it.

    Attributes:
        gray: uint8 (height, width), the image or a smaller copy of it.
        scale: the size of `gray` as a share of the image's, above 0 to 1.
        size: height and width of the image.
    """

    gray: np.ndarray
    scale: float
    size: tuple[int, int]

    @classmethod
    def of(cls, image: np.ndarray) -> "View":
        """Return the view of `image`, uint8 (height, width, 1 or 3)."""
        height, width = image.shape[:2]
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.shape[2] == 3 else image[:, :, 0]
        scale = min(1.0, LONGEST_SIDE / max(height, width))
        if scale < 1:
            gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return cls(gray, scale, (height, width))


class _Move(NamedTuple):
    """A shift, and a growth about a center; in pixels of the image."""

    center: np.ndarray
    shift: np.ndarray
    growth: float

    def apply(self, place: np.ndarray) -> np.ndarray:
        x, y, width, height = place[:4]
        points = np.concatenate([[x + width / 2, y + height / 2], place[4:]]).reshape(-1, 2)
        moved = self.center + self.shift + (points - self.center) * self.growth
        size = place[2:4] * self.growth
        return np.concatenate([moved[0] - size / 2, size, moved[1:].ravel()])


def propagate(before: View, now: View, places: Sequence[np.ndarray]) -> list[np.ndarray | None]:
    """Return where faces went from one frame to another.

    Args:
        before: the frame in which they are at `places`.
        now: the other frame.
        places: float64 (4,) each, a box as x, y, width and height; or (8,), with x and y of both eyes after it.

    Returns:
        As `places`; None for a face whose motion cannot be told, or that left the image. A box that is the whole
        image stays as it is.
    """
    if before.size != now.size:
        return [None for _ in places]
    moves = _moves(before, now, places) if places else []
    return [_carried(place, move, now.size) for place, move in zip(places, moves, strict=True)]


def _carried(place: np.ndarray, move: _Move | None, size: tuple[int, int]) -> np.ndarray | None:
    height, width = size
    if np.array_equal(place[:4], [0, 0, width, height]):
        return place
    if move is None:
        return None
    moved = move.apply(place)
    x, y = moved[:2] + moved[2:4] / 2
    return moved if 0 <= x < width and 0 <= y < height else None


def _moves(before: View, now: View, places: Sequence[np.ndarray]) -> list[_Move | None]:
    points = np.concatenate([_grid(place[:4] * before.scale) for place in places]).astype(np.float32)
    there, back, usable = _flow(before.gray, now.gray, points)
    usable &= np.linalg.norm(back - points, axis=1) <= WAY_BACK
    ends = np.arange(1, len(places)) * GRID**2
    by_face = (np.split(array, ends) for array in (points, there, usable))
    return [_move(*arrays, scale=before.scale) for arrays in zip(*by_face, strict=True)]


def _grid(box: np.ndarray) -> np.ndarray:
    """Return the points in a box that are followed, (GRID * GRID, 2)."""
    x, y, width, height = box
    steps = 0.5 + INNER * np.linspace(-0.5, 0.5, GRID)
    columns, rows = np.meshgrid(x + steps * width, y + steps * height)
    return np.stack([columns.ravel(), rows.ravel()], axis=1)


def _flow(before: np.ndarray, now: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where points went, where they come back to, (n, 2) each, and which of them lie in both images, (n,)."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.03)
    options = {"winSize": WINDOW, "maxLevel": LEVELS, "criteria": criteria}
    there, gone, _ = cv2.calcOpticalFlowPyrLK(before, now, points, None, **options)  # type: ignore[call-overload]
    back, returned, _ = cv2.calcOpticalFlowPyrLK(now, before, there, None, **options)  # type: ignore[call-overload]
    inside = _inside(points, before) & _inside(there, before)
    return there, back, inside & (gone[:, 0] == 1) & (returned[:, 0] == 1)


def _inside(points: np.ndarray, gray: np.ndarray) -> np.ndarray:
    height, width = gray.shape
    x, y = points.T
    inside: np.ndarray = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    return inside


def _move(points: np.ndarray, there: np.ndarray, usable: np.ndarray, *, scale: float) -> _Move | None:
    """Return the motion that most of a face's points agree on, or None where too few can be followed."""
    if usable.sum() < FEWEST * len(usable):
        return None
    points, there = points[usable].astype(np.float64), there[usable].astype(np.float64)
    center = points.mean(axis=0)
    growth = _growth(points, there)
    shift = np.median(there - (center + (points - center) * growth), axis=0)
    return _Move(center / scale, shift / scale, growth)


def _growth(points: np.ndarray, there: np.ndarray) -> float:
    """Return by how much the distances among points grew: the median, within SCALES."""
    first, second = np.triu_indices(len(points), 1)
    distances = np.linalg.norm(points[first] - points[second], axis=1)
    growths = np.linalg.norm(there[first] - there[second], axis=1) / distances
    return float(np.clip(np.median(growths), *SCALES))
