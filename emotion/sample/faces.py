"""One image of the sample: an emotion on a person's face."""

import numpy as np

from emotion.sample.action_units import Units, draw_sides, draw_units
from emotion.sample.disturbances import draw_background, draw_light, draw_pose, occlude, photograph
from emotion.sample.drawing import draw_brow, draw_eye, draw_folds, draw_head, draw_mouth, draw_nose, draw_relief
from emotion.sample.landmarks import place
from emotion.sample.people import Person
from emotion.sample.sketch import Sketch
from emotion.sample.worn import draw_beard, draw_glasses, draw_hair, draw_hair_behind

SIZE = 48
"""Height and width of an image in pixels, as FER2013's."""


def draw_face(emotion: str, rng: np.random.Generator, person: Person) -> np.ndarray:
    """Return an image of `person` showing `emotion`, uint8 (SIZE, SIZE); all randomness is from `rng`."""
    units = draw_units(emotion, rng)
    sketch = Sketch(draw_background(rng), draw_pose(rng))
    _draw_person(sketch, person, units, rng)
    image = sketch.finish(draw_light(rng))
    occlude(image, person, rng)
    return photograph(image, SIZE, rng)


def _draw_person(sketch: Sketch, person: Person, units: Units, rng: np.random.Generator) -> None:
    """Draw from back to front."""
    sides = draw_sides(units, rng)
    face = place(person, sides, gaze=tuple(np.clip(rng.normal(0, 0.45, size=2), -1, 1)))
    draw_hair_behind(sketch, person)
    draw_head(sketch, person, face)
    draw_relief(sketch, person, face, units)
    draw_beard(sketch, person, face)
    draw_mouth(sketch, person, face.mouth, units)
    draw_nose(sketch, person, face)
    draw_folds(sketch, person, face, sides)
    for eye, brow in zip(face.eyes, face.brows, strict=True):
        draw_eye(sketch, person, eye)
        draw_brow(sketch, person, brow)
    draw_hair(sketch, person, rng)
    draw_glasses(sketch, person)
