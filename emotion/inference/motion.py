"""The motion of a face from one frame to the next, measured by the optical flow inside its box.

The flow is measured at a grid of points, forward and backward. Points that do not return to where they started are
left out, and the median of the others counts (median flow: Kalal, Mikolajczyk and Matas 2010). This takes a fraction
of the time of a search for faces.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

LONGEST_SIDE = 960
"""Pixels of the longer side of the image that motion is measured in; larger images are made smaller."""

GRID_SIZE = 5
"""Points per side of the grid."""

GRID_SHARE = 0.7
"""The share of a box's side that the grid spans. Further out there is background."""

MIN_POINTS_SHARE = 0.3
"""The share of points that must be usable. With fewer the face counts as lost."""

MAX_RETURN_ERROR = 1.0
"""Pixels from where a point started to where the backward flow returns it."""

GROWTH_RANGE = (0.8, 1.25)
"""By how much a face may shrink or grow from one frame to the next."""

FLOW_WINDOW = (15, 15)
PYRAMID_LEVELS = 3


class GrayFrame(NamedTuple):
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
    def of(cls, image: np.ndarray) -> "GrayFrame":
        """Return the gray frame of `image`, uint8 (height, width, 1 or 3)."""
        height, width = image.shape[:2]
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.shape[2] == 3 else image[:, :, 0]
        scale = min(1.0, LONGEST_SIDE / max(height, width))
        if scale < 1:
            gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return cls(gray, scale, (height, width))


class _Motion(NamedTuple):
    """A shift, and a growth about a center; in pixels of the image."""

    center: np.ndarray
    shift: np.ndarray
    growth: float

    def apply(self, box: np.ndarray) -> np.ndarray:
        size = box[2:4] * self.growth
        moved = self.center + self.shift + (box[:2] + box[2:4] / 2 - self.center) * self.growth
        return np.concatenate([moved - size / 2, size, box[4:]])


def move_boxes(previous: GrayFrame, current: GrayFrame, boxes: Sequence[np.ndarray]) -> list[np.ndarray | None]:
    """Return where the faces of one frame are in another.

    Args:
        previous: the frame that `boxes` belong to.
        current: the other frame.
        boxes: float64 (5,) each, as x, y, width, height and tilt. The tilt stays as it is.

    Returns:
        As `boxes`; None for a face whose motion cannot be measured, or that left the image. A box that is the whole
        image stays as it is.
    """
    if previous.size != current.size:
        return [None for _ in boxes]
    motions = _measure_motions(previous, current, boxes) if boxes else []
    return [_move_box(box, motion, current.size) for box, motion in zip(boxes, motions, strict=True)]


def _move_box(box: np.ndarray, motion: _Motion | None, size: tuple[int, int]) -> np.ndarray | None:
    height, width = size
    if np.array_equal(box[:4], [0, 0, width, height]):
        return box
    if motion is None:
        return None
    moved = motion.apply(box)
    x, y = moved[:2] + moved[2:4] / 2
    return moved if 0 <= x < width and 0 <= y < height else None


def _measure_motions(previous: GrayFrame, current: GrayFrame, boxes: Sequence[np.ndarray]) -> list[_Motion | None]:
    starts = np.concatenate([_grid_points(box[:4] * previous.scale) for box in boxes]).astype(np.float32)
    ends, returned, usable = _flow(previous.gray, current.gray, starts)
    usable &= np.linalg.norm(returned - starts, axis=1) <= MAX_RETURN_ERROR
    borders = np.arange(1, len(boxes)) * GRID_SIZE**2
    by_face = (np.split(array, borders) for array in (starts, ends, usable))
    return [_median_motion(*arrays, scale=previous.scale) for arrays in zip(*by_face, strict=True)]


def _grid_points(box: np.ndarray) -> np.ndarray:
    """Return the points in a box whose flow is measured, (GRID_SIZE * GRID_SIZE, 2)."""
    x, y, width, height = box
    steps = 0.5 + GRID_SHARE * np.linspace(-0.5, 0.5, GRID_SIZE)
    columns, rows = np.meshgrid(x + steps * width, y + steps * height)
    return np.stack([columns.ravel(), rows.ravel()], axis=1)


def _flow(previous: np.ndarray, current: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where points end, where the way back returns them, (n, 2) each, and which lie in both images, (n,)."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.03)
    options = {"winSize": FLOW_WINDOW, "maxLevel": PYRAMID_LEVELS, "criteria": criteria}
    ends, forward, _ = cv2.calcOpticalFlowPyrLK(previous, current, starts, None, **options)  # type: ignore[call-overload]
    returned, backward, _ = cv2.calcOpticalFlowPyrLK(current, previous, ends, None, **options)  # type: ignore[call-overload]
    inside = _in_image(starts, previous) & _in_image(ends, previous)
    return ends, returned, inside & (forward[:, 0] == 1) & (backward[:, 0] == 1)


def _in_image(points: np.ndarray, gray: np.ndarray) -> np.ndarray:
    height, width = gray.shape
    x, y = points.T
    inside: np.ndarray = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    return inside


def _median_motion(starts: np.ndarray, ends: np.ndarray, usable: np.ndarray, *, scale: float) -> _Motion | None:
    """Return the median motion of a face's points, or None where too few are usable."""
    if usable.sum() < MIN_POINTS_SHARE * len(usable):
        return None
    starts, ends = starts[usable].astype(np.float64), ends[usable].astype(np.float64)
    center = starts.mean(axis=0)
    growth = _median_growth(starts, ends)
    shift = np.median(ends - (center + (starts - center) * growth), axis=0)
    return _Motion(center / scale, shift / scale, growth)


def _median_growth(starts: np.ndarray, ends: np.ndarray) -> float:
    """Return by how much the distances between points grew: the median, within GROWTH_RANGE."""
    first, second = np.triu_indices(len(starts), 1)
    before = np.linalg.norm(starts[first] - starts[second], axis=1)
    after = np.linalg.norm(ends[first] - ends[second], axis=1)
    return float(np.clip(np.median(after / before), *GROWTH_RANGE))
