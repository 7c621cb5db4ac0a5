"""A face on a sketch: skin, eyes, brows, nose, mouth, and the folds that action units make."""

import math

import cv2
import numpy as np

from emotion.sample.action_units import Units
from emotion.sample.landmarks import Eye, Landmarks, Mouth
from emotion.sample.people import Person
from emotion.sample.sketch import Sketch, curve, fill

EYE_WHITE = 205
TEETH = 225
MOUTH_INSIDE = 28
COVERED_EARS = ("long", "headscarf")

_CIRCLE = np.array([(math.cos(angle), math.sin(angle)) for angle in np.arange(16) * (2 * math.pi / 16)])


def ellipse(x: float, y: float, half_width: float, half_height: float) -> np.ndarray:
    """Return an ellipse as a polygon, (16, 2)."""
    return _CIRCLE * (half_width, half_height) + (x, y)


def between(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Return the polygon between two curves of the same direction."""
    return np.concatenate([upper, lower[::-1]])


def draw_head(sketch: Sketch, person: Person, face: Landmarks) -> None:
    """Draw neck, clothes, ears and the bare face."""
    neck = np.array([(-36, 40), (36, 40), (38, 120), (-38, 120)])
    sketch.fill(neck, person.skin * 0.78, raised=None)
    shoulders = curve(np.array([(-160, 150), (-92, 106), (-36, 98), (0, 116), (36, 98), (92, 106), (160, 150)]))
    sketch.fill(shoulders, person.clothes, raised=None)
    for side in (-1, 1) if person.hair not in COVERED_EARS else ():
        ear = ellipse(side * (person.half_width + 2), -4, 8 * person.ears, 17 * person.ears)
        sketch.fill(ear, person.skin * 0.86, raised=None)
    sketch.fill(face.outline, person.skin, raised=None)


def draw_relief(sketch: Sketch, person: Person, face: Landmarks, units: Units) -> None:
    """Shade the parts of every face: sockets, cheeks, nose, the hollow under the lip."""
    for side in (-1, 1):
        sketch.shade(ellipse(side * person.eye_x, person.eye_y - 5, 19, 13), -20, "wide")
        cheek_y = 16 - 6 * max(units[6], 0.7 * units[12])
        sketch.shade(ellipse(side * 36, cheek_y, 15, 11), 18 + 16 * units[12], "wide")
        jaw = ellipse(side * 0.86 * person.half_width, 46, 13, 26)
        sketch.shade(jaw, -16 - 8 * person.age, "wide")
    sketch.shade(ellipse(0, -62, 34, 13), 12, "wide")
    _nose_relief(sketch, face)
    lip_bottom = face.mouth.outer_lower[len(face.mouth.outer_lower) // 2][1]
    sketch.shade(ellipse(0, lip_bottom + 5, 15, 4), -26 - 16 * units[17], "medium")
    sketch.shade(ellipse(0, (lip_bottom + face.chin_y) / 2 + 4, 13, 8), 14, "medium")


def _nose_relief(sketch: Sketch, face: Landmarks) -> None:
    nose = face.nose
    middle = (nose.root_y + nose.tip_y) / 2
    sketch.shade(np.array([(-3.5, nose.root_y), (3.5, nose.root_y), (5, nose.tip_y), (-5, nose.tip_y)]), 26, "medium")
    for side in (-1, 1):
        flank = np.array([(6, nose.root_y), (9, nose.root_y), (nose.half_width, nose.wing_y), (7, nose.wing_y - 4)])
        sketch.shade(flank * (side, 1), -30, "medium")
        hollow = ellipse(side * 8, middle - 18, 4, 6)
        sketch.shade(hollow, -20, "medium")
    sketch.shade(ellipse(0, nose.tip_y - 2, 6, 5), 26, "medium")
    sketch.shade(ellipse(0, nose.tip_y + 7, nose.half_width, 3.5), -30, "medium")


def draw_nose(sketch: Sketch, person: Person, face: Landmarks) -> None:
    """Draw nostrils and wings."""
    nose = face.nose
    for side in (-1, 1):
        nostril = ellipse(side * 0.5 * nose.half_width, nose.tip_y + 4, 0.27 * nose.half_width, 2.2)
        sketch.fill(nostril, person.skin * 0.28, raised=6)
        x, y = nose.half_width, nose.wing_y
        wing = curve(np.array([(x - 3, y - 7), (x, y - 2), (x - 0.5, y + 3), (x - 4, y + 5)]) * (side, 1), steps=3)
        sketch.line(wing, person.skin * 0.62, 2)


def draw_folds(sketch: Sketch, person: Person, face: Landmarks, sides: tuple[Units, Units]) -> None:
    """Draw the furrows and wrinkles that age and action units make."""
    for side, units, brow, corner in zip((-1, 1), sides, face.brows, face.mouth.corners, strict=True):
        _cheek_folds(sketch, person, face, units, side, corner)
        _eye_folds(sketch, person, units, side)
        frown = max(units[4], 0.6 * units[9])
        x = side * max(4.0, 7 - 2 * units[4])
        inner_y = brow[0][1]
        sketch.crease(np.array([(x, inner_y - 7), (x * 0.9, inner_y + 5)]), 62 * frown, 3)
    _forehead_folds(sketch, person, face, sides)
    _nose_folds(sketch, face, sides)
    _chin_folds(sketch, face, sides)


def _cheek_folds(sketch: Sketch, person: Person, face: Landmarks, units: Units, side: int, corner: np.ndarray) -> None:
    """Draw the furrow from the wing of the nose past the corner of the mouth."""
    depth = min(52, 9 + 24 * person.age + 34 * units[12] + 36 * units[10] + 22 * units[9] + 10 * units[20])
    start = np.array([side * (face.nose.half_width + 2), face.nose.wing_y - 2])
    end = np.array([side * (abs(corner[0]) + 7), corner[1] - 1 + 4 * person.age])
    bend = (start + end) / 2 + (side * (3 + 4 * units[10] + 3 * units[12]), -2)
    sketch.crease(curve(np.array([start, bend, end]), steps=4), depth, 3)
    if units[15] > 0.2:
        down = np.array([corner + (side * 2, 0), corner + (side * 5, 7), corner + (side * 5, 13)])
        sketch.crease(curve(down, steps=3), 60 * units[15], 3)


def _eye_folds(sketch: Sketch, person: Person, units: Units, side: int) -> None:
    """Draw bags under the eyes, and crow's feet beside them."""
    depth = 10 + 26 * person.age + 50 * units[6] + 25 * units[7] + 15 * units[9]
    bag_y = person.eye_y + 11 - 2.5 * units[6]
    along = np.array([(-13, -3), (-5, 1), (5, 1), (13, -4)])
    sketch.crease(curve(along * (side, 1) + (side * person.eye_x, bag_y), steps=3), depth, 3)
    strength = 70 * units[6] + 18 * person.age
    outer = np.array([person.eye_x + person.eye_width + 3, person.eye_y])
    for rise in (-6, 0, 6):
        ray = np.array([outer + (0, 0.3 * rise), outer + (10, rise)])
        sketch.crease(ray * (side, 1), strength, 2)


def _forehead_folds(sketch: Sketch, person: Person, face: Landmarks, sides: tuple[Units, Units]) -> None:
    """Draw lines across the forehead: whole ones when the brows rise, short ones when the inner ends do."""
    inner = max(units[1] for units in sides)
    outer = max(units[2] for units in sides)
    reach = 12 + 26 * outer + 14 * person.age
    depth = 14 * person.age + 42 * inner + 14 * outer
    top = min(brow[:, 1].min() for brow in face.brows)
    for row in range(3):
        y = top - 7 - 7 * row
        line = np.array([(-reach, y + 1), (-reach / 2, y - 2), (0, y), (reach / 2, y - 2), (reach, y + 1)])
        sketch.crease(curve(line, steps=3), depth, 2.5)


def _nose_folds(sketch: Sketch, face: Landmarks, sides: tuple[Units, Units]) -> None:
    """Draw the wrinkles across the root and down the sides of the nose that AU9 makes."""
    wrinkled = max(units[9] for units in sides)
    if wrinkled < 0.15:
        return
    for row in range(3):
        y = face.nose.root_y - 3 + 6 * row
        sketch.crease(curve(np.array([(-9, y + 3), (-4, y), (4, y), (9, y + 3)]), steps=3), 75 * wrinkled, 2.5)
    for side in (-1, 1):
        for step in (0, 6):
            flank = np.array([(8 + step, face.nose.root_y + 10), (13 + step, face.nose.root_y + 19)])
            sketch.crease(flank * (side, 1), 65 * wrinkled, 2.5)


def _chin_folds(sketch: Sketch, face: Landmarks, sides: tuple[Units, Units]) -> None:
    raised = max(units[17] for units in sides)
    if raised < 0.15:
        return
    y = face.chin_y - 17
    for x, lift in ((-8, 0), (-3, -3), (4, -2), (9, 1)):
        sketch.crease(np.array([(x - 2, y + lift), (x + 2, y + lift + 3)]), 50 * raised, 3)


def draw_mouth(sketch: Sketch, person: Person, mouth: Mouth, units: Units) -> None:
    """Draw lips and, in an open mouth, its inside and teeth."""
    lip = person.skin * person.lip_tone
    sketch.fill(between(mouth.outer_upper, mouth.inner_upper), lip * 0.86)
    sketch.fill(between(mouth.inner_lower, mouth.outer_lower), lip)
    if mouth.gap:
        sketch.fill(between(mouth.inner_upper, mouth.inner_lower), MOUTH_INSIDE)
        _draw_teeth(sketch, mouth, units)
    else:
        sketch.line(mouth.inner_upper, person.skin * 0.3, 2.4)
    middle = len(mouth.outer_lower) // 2
    x, y = mouth.outer_lower[middle] * 0.55 + mouth.inner_lower[middle] * 0.45
    sketch.shade(ellipse(x, y, 9, 2), 22 * person.lips, "medium")
    for side, (x, y) in zip((-1, 1), mouth.corners, strict=True):
        sketch.shade(ellipse(x + side, y, 3.5, 3), -24, "medium")


def _draw_teeth(sketch: Sketch, mouth: Mouth, units: Units) -> None:
    opening = mouth.inner_lower - mouth.inner_upper
    upper = min(0.85, 6.5 / mouth.gap + 0.2 * units[12])
    sketch.fill(between(mouth.inner_upper, mouth.inner_upper + opening * upper)[1:-1], TEETH)
    stretched = max(units[20], units[16])
    if mouth.gap > 9 and stretched > 0.3:
        sketch.fill(between(mouth.inner_lower - opening * 0.28, mouth.inner_lower)[1:-1], TEETH * 0.88)


def draw_eye(sketch: Sketch, person: Person, eye: Eye) -> None:
    """Draw the eyeball within the lids, then lashes and the fold of the upper lid."""
    opening = between(eye.upper, eye.lower)
    _draw_eyeball(sketch, person, eye, opening)
    sketch.line(eye.upper, 0.22 * person.skin, 2.8)
    sketch.line(eye.lower, 0.55 * person.skin, 1.4)
    fold = eye.upper[1:-1] - (0, 5.5)
    sketch.crease(fold, 42, 2.4)


def _draw_eyeball(sketch: Sketch, person: Person, eye: Eye, opening: np.ndarray) -> None:
    """Draw white, iris and pupil inside `opening`."""
    mask = np.full_like(sketch.tones, 255)
    fill(mask, sketch.project(opening), 0)
    lids = sketch.tones.copy()
    sketch.fill(opening, min(EYE_WHITE, person.skin + 55))
    sketch.dot(eye.iris, eye.iris_radius, person.iris)
    sketch.dot(eye.iris, eye.iris_radius * 0.45, 12)
    sketch.dot((eye.iris[0] - 2, eye.iris[1] - 2.2), 1.3, 240)
    cv2.copyTo(lids, mask, sketch.tones)


def draw_brow(sketch: Sketch, person: Person, brow: np.ndarray) -> None:
    """Draw a brow: thick at its inner end, thin at the outer one."""
    along = np.linspace(0, 1, len(brow))
    half = person.brow_thickness / 2 * (0.75 + 0.5 * np.sin(np.pi * np.minimum(1, along + 0.25)) - 0.55 * along**2)
    offset = np.stack([np.zeros_like(half), half], axis=1)
    sketch.fill(between(brow - offset, brow + offset), person.brow_tone)
