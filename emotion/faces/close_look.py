"""A closer look at one face: a search in the square around it, at a size at which YuNet sees it best.

It confirms uncertain faces, and measures the tilt of a face. `benchmarks/tilt.py` measures both.

YuNet's landmarks tell the tilt only where a face has more than about 110 pixels. In a smaller face they are those of an
upright one: at a tilt of 20 degrees the eyes show 3. So the tilt comes from a copy that shows the face large. One look
falls short of a large tilt, and a second one in the turned copy gives the rest.
"""

import math
from typing import NamedTuple

import numpy as np

from emotion.faces.detection import RawDetection
from emotion.faces.turned_square import cut_square
from emotion.faces.yunet_network import find_faces

CONFIRMING_SIDE, CONFIRMING_CONTEXT = 96, 2.0
"""Pixels of the face in the look that confirms it; side of the square around it, as a multiple of the face's."""

CONFIRMING_SCORE = 0.7
"""The lowest score in that look that confirms a face."""

LEVELING_SIDE, LEVELING_CONTEXT = 192, 1.5
"""The same for the look that measures the tilt."""

LEVELING_SCORE = 0.5
"""The lowest score in that look. The face is known to be one, so it may be low."""

TRUE_LANDMARKS_SIDE = 110
"""Pixels of a face from which on its landmarks show its tilt."""

HINT_WEIGHTS = (3.5, 0.5, 1.0)
"""Weights of the tilts of eyes, mouth and axis that estimate the tilt of a smaller face. They were chosen."""

LEAST_HINT = math.radians(6)
"""The smallest estimate of a tilt that is worth a look."""

TILT_GAIN = 1.1
"""The true tilt as a multiple of the one that the landmarks of a large face show. It was fitted."""

MOST_LOOKS = 2
"""Looks that measure a tilt."""

LEAST_REST = math.radians(8)
"""The smallest tilt in a look after which another one is worthwhile."""

LEAST_TILT = math.radians(10)
"""The smallest tilt that is leveled. Models are trained with turned faces, and leveling less gains nothing."""

MOST_OFFSET = 0.5
"""Largest distance from the middle of the square to the face found there, as a share of the face's side."""


class LineTilts(NamedTuple):
    """Tilts in radians that landmarks show, each above 0 where the face leans to the right.

    Attributes:
        eyes: of the line between the eyes.
        mouth: of the line between the corners of the mouth.
        axis: of the line from the mouth to the eyes.
    """

    eyes: float
    mouth: float
    axis: float


def confirm(image: np.ndarray, raw: RawDetection) -> bool:
    """Return whether a closer look at an uncertain face finds it too.

    Args:
        image: uint8 (height, width, 1 or 3).
        raw: the face in `image`.
    """
    look = _cut_look(image, raw, CONFIRMING_SIDE, CONFIRMING_CONTEXT, 0.0)
    return _find_central(look, CONFIRMING_SIDE, CONFIRMING_SCORE) is not None


def measure_tilt(image: np.ndarray, raw: RawDetection) -> float:
    """Return the tilt of a face in radians, 0 where it is below LEAST_TILT.

    Args:
        image: uint8 (height, width, 1 or 3).
        raw: the face in `image`, with landmarks.
    """
    if abs(_hint(raw)) < LEAST_HINT:
        return 0.0
    tilt = 0.0
    for _ in range(MOST_LOOKS):
        look = _cut_look(image, raw, LEVELING_SIDE, LEVELING_CONTEXT, tilt)
        face = _find_central(look, LEVELING_SIDE, LEVELING_SCORE)
        if face is None:
            break
        rest = TILT_GAIN * float(np.mean(line_tilts(face)))
        tilt += rest
        if abs(rest) < LEAST_REST:
            break
    return tilt if abs(tilt) >= LEAST_TILT else 0.0


def line_tilts(raw: RawDetection) -> LineTilts:
    """Return the tilts that the landmarks of a face show.

    Raises:
        ValueError: the detection has no landmarks.
    """
    if raw.landmarks is None:
        raise ValueError("the detection has no landmarks; use one of YuNetDetector")
    left_eye, right_eye, _, left_mouth, right_mouth = np.array(raw.landmarks)
    across_eyes, across_mouth = right_eye - left_eye, right_mouth - left_mouth
    down = left_mouth + right_mouth - left_eye - right_eye
    return LineTilts(
        math.atan2(across_eyes[1], across_eyes[0]),
        math.atan2(across_mouth[1], across_mouth[0]),
        math.atan2(-down[0], down[1]),
    )


def _hint(raw: RawDetection) -> float:
    """Return an estimate of the tilt of a face from the landmarks of the search."""
    tilts = line_tilts(raw)
    if raw.seen_side >= TRUE_LANDMARKS_SIDE:
        return tilts.eyes
    return float(np.dot(HINT_WEIGHTS, tilts))


def _cut_look(image: np.ndarray, raw: RawDetection, side: int, context: float, tilt: float) -> np.ndarray:
    """Return the square around a face, turned by `tilt`, in which the face has `side` pixels."""
    return cut_square(image, raw.center, raw.side * context, round(side * context), tilt)


def _find_central(look: np.ndarray, side: int, least_score: float) -> RawDetection | None:
    """Return the face in the middle of a square; None where there is none of about `side` pixels."""
    middle = len(look) / 2
    faces = find_faces(look, least_score)
    near = [face for face in faces if np.abs(face.center - middle).max() <= MOST_OFFSET * side]
    return min(near, key=lambda face: float(np.abs(face.center - middle).sum()), default=None)
