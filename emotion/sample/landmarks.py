"""The positions of the parts of a face: a person's shape, moved by action units.

All positions are in face coordinates.
"""

from dataclasses import dataclass

import numpy as np

from emotion.sample.action_units import Units
from emotion.sample.people import Person
from emotion.sample.sketch import curve


@dataclass(frozen=True)
class Eye:
    """One eye: lids from the inner to the outer corner, and the middle of the iris."""

    upper: np.ndarray
    lower: np.ndarray
    iris: tuple[float, float]
    iris_radius: float


@dataclass(frozen=True)
class Mouth:
    """The mouth: four contours from the left to the right corner. The open mouth is between the inner two."""

    outer_upper: np.ndarray
    inner_upper: np.ndarray
    inner_lower: np.ndarray
    outer_lower: np.ndarray
    gap: float

    @property
    def corners(self) -> tuple[np.ndarray, np.ndarray]:
        """The left and the right corner, each (2,)."""
        return self.inner_upper[0], self.inner_upper[-1]


@dataclass(frozen=True)
class Nose:
    """The nose: height of its root and tip, half its width, and height of its wings."""

    root_y: float
    tip_y: float
    half_width: float
    wing_y: float


@dataclass(frozen=True)
class Landmarks:
    """A face's parts; where there are two, first the one at the left of the image."""

    outline: np.ndarray
    chin_y: float
    brows: tuple[np.ndarray, np.ndarray]
    eyes: tuple[Eye, Eye]
    nose: Nose
    mouth: Mouth


def place(person: Person, sides: tuple[Units, Units], gaze: tuple[float, float]) -> Landmarks:
    """Return the landmarks of `person` with each half of the face moved by its own units.

    Args:
        person: the shape of the face at rest.
        sides: the units of the left and the right half of the image.
        gaze: direction of the eyes, x and y from -1 to 1.
    """
    left, right = sides
    mean = {unit: (left[unit] + right[unit]) / 2 for unit in left}
    chin_y = person.chin_y + 0.55 * _jaw_drop(mean) - 2.5 * mean[17]
    return Landmarks(
        outline=_outline(person, mean, chin_y),
        chin_y=chin_y,
        brows=(_brow(person, left, -1), _brow(person, right, 1)),
        eyes=(_eye(person, left, -1, gaze), _eye(person, right, 1, gaze)),
        nose=_nose(person, mean),
        mouth=_mouth(person, left, right, mean),
    )


def _jaw_drop(units: Units) -> float:
    return 22 * units[26] + 12 * units[27]


def _outline(person: Person, units: Units, chin_y: float) -> np.ndarray:
    width = person.half_width
    cheek = width * 0.96 + 3 * max(units[6], units[12])
    jaw_y = 0.6 * chin_y
    half = [
        (0.55 * width, -90),
        (0.94 * width, -56),
        (width, -12),
        (cheek, 18),
        (person.jaw * width, jaw_y),
        (person.chin * width, 0.92 * chin_y),
    ]
    mirrored = [(-x, y) for x, y in reversed(half)]
    return curve(np.array([(0, -102), *half, (0, chin_y), *mirrored]), closed=True)


def _brow(person: Person, units: Units, side: int) -> np.ndarray:
    """Return the middle line of a brow, from its inner to its outer end."""
    lowered = units[4] * (1 - 0.75 * units[1])
    inner = -11 * units[1] + 9 * lowered + 6 * units[9]
    middle = -5 * units[1] - 8 * units[2] + 6.5 * lowered + 5 * units[9]
    outer = -11 * units[2] + 4 * units[1] * (1 - units[2]) + 1.5 * lowered
    pulled = 5.5 * units[4] + 2 * units[9]
    along = np.linspace(0, 1, 5)
    x = person.eye_x - 15 - pulled + along * (33 + pulled)
    rest = person.brow_y - person.brow_arch * np.sin(np.pi * along**1.2) + person.brow_tilt * (2 * along - 1)
    y = rest + np.interp(along, [0, 0.5, 1], [inner, middle, outer])
    return curve(np.stack([side * x, y], axis=1), steps=3)


def _eye(person: Person, units: Units, side: int, gaze: tuple[float, float]) -> Eye:
    opened = 6.0 * person.eye_open
    closing = 0.3 * units[7] + 0.25 * units[6] + 0.5 * units[43] + 0.2 * units[9]
    upper = max(1.2, opened * (1 + 1.1 * units[5] - closing))
    lower = 5.0 * person.eye_open * (1 + 0.25 * units[5] - 0.55 * units[7] - 0.85 * units[6] - 0.35 * units[9])
    # A lowered brow pushes the inner half of the lid down; with the inner brow raised the outer half hangs instead.
    skew = 0.4 * units[1] * units[4] * (1 - units[2]) - 0.45 * units[4] * (1 - units[1])
    tilt = person.eye_tilt - 2.5 * units[1] * (1 - units[2]) * units[4]
    along = np.array([-1, -0.5, 0, 0.5, 1])
    x = person.eye_x + along * person.eye_width
    rim = person.eye_y - along * tilt
    high = upper * np.array([0, 0.8 + skew, 1, 0.82 - 0.7 * skew, 0])
    low = lower * np.array([0, 0.72, 1, 0.85, 0])
    iris_x = side * person.eye_x + 4 * gaze[0]
    iris_y = person.eye_y - 0.8 + 2.5 * gaze[1]
    return Eye(
        upper=curve(np.stack([side * x, rim - high], axis=1), steps=3),
        lower=curve(np.stack([side * x, rim + low], axis=1), steps=3),
        iris=(iris_x, iris_y),
        iris_radius=6.6 * person.eye_open**0.5,
    )


def _nose(person: Person, units: Units) -> Nose:
    lift = 4.5 * units[9] + 1.5 * units[10]
    tip_y = person.eye_y + 40 * person.nose_length
    return Nose(
        root_y=person.eye_y - 4,
        tip_y=tip_y - 0.5 * lift,
        half_width=12.5 * person.nose_width + 2 * units[9] + 1.5 * units[12],
        wing_y=tip_y - 1 - lift,
    )


def _mouth(person: Person, left: Units, right: Units, mean: Units) -> Mouth:
    jaw = _jaw_drop(mean)
    middle = person.mouth_y + 1.5 * mean[12] - 3 * mean[17] - 2 * mean[15]
    lift = 5.5 * mean[10] + 2.5 * mean[9]
    gap = 5 * mean[25] + 0.9 * jaw + 3.5 * mean[16] + 0.5 * lift * mean[25]
    gap = gap if gap > 2.5 else 0.0
    tight = 0.55 * mean[23] + 0.4 * mean[24] + 0.2 * mean[12] + 0.25 * mean[20]
    upper_lip = 5.2 * person.lips * max(0.25, 1 - tight - 0.2 * mean[10])
    lower_lip = 7.0 * person.lips * max(0.25, 1 - tight)
    first, last = _corner(person, left, -1), _corner(person, right, 1)
    top = middle - lift - 0.3 * gap * (1 - mean[10])
    return Mouth(
        outer_upper=_contour(first, last, top - upper_lip, dip=0.25 * upper_lip, fullness=0.86),
        inner_upper=_contour(first, last, top, dip=-0.12 * upper_lip, fullness=0.9),
        inner_lower=_contour(first, last, top + gap, dip=0, fullness=0.82),
        outer_lower=_contour(first, last, top + gap + lower_lip, dip=0, fullness=0.8),
        gap=gap,
    )


def _corner(person: Person, units: Units, side: int) -> np.ndarray:
    rounded = (1 - 0.8 * units[20]) * (1 - units[12])
    x = person.mouth_width + 8 * units[12] + 8 * units[20] - 4.5 * units[23] - 7 * units[26] * rounded
    y = person.mouth_y + person.mouth_rest - 10 * units[12] + 9 * units[15] + 3 * units[20] + 4 * units[26]
    return np.array([side * x, y + 2 * units[10] - 1.5 * units[24]])


def _contour(first: np.ndarray, last: np.ndarray, middle_y: float, dip: float, fullness: float) -> np.ndarray:
    """Return a lip's contour; `dip` lowers its middle, `fullness` is how far from the middle it stays full."""
    along = np.array([-1, -0.62, -0.22, 0, 0.22, 0.62, 1])
    share = (along + 1) / 2
    base = first[1] + share * (last[1] - first[1])
    x = (first[0] + last[0]) / 2 + along * (last[0] - first[0]) / 2
    bow = np.array([0, fullness * 0.72, 1, 1, 1, fullness * 0.72, 0])
    y = base + bow * (middle_y - base) + dip * np.array([0, 0, 0, 1, 0, 0, 0])
    return curve(np.stack([x, y], axis=1), steps=3)
