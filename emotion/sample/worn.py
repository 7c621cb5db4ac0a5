"""Hair, beards, headscarves and glasses."""

import numpy as np

from emotion.sample.drawing import COVERED_EARS, between, ellipse
from emotion.sample.landmarks import Landmarks
from emotion.sample.people import Person
from emotion.sample.sketch import Sketch, curve


def draw_hair_behind(sketch: Sketch, person: Person) -> None:
    """Draw the hair (or scarf) that lies behind the face."""
    if person.hair in COVERED_EARS:
        width = person.half_width + 17
        shape = [(0, -120), (0.75 * width, -100), (width, -34), (width + 2, 50), (0.9 * width, 125)]
        mirrored = [(-x, y) for x, y in reversed(shape[1:])]
        sketch.fill(curve(np.array([*shape, *mirrored]), closed=True), person.hair_tone * 0.9, raised=None)
    elif person.hair == "curly":
        for angle in np.linspace(-0.15 * np.pi, 1.15 * np.pi, 15):
            x, y = (person.half_width + 6) * np.cos(angle), -38 - 76 * np.sin(angle)
            sketch.fill(ellipse(x, y, 20, 20), person.hair_tone * (0.9 + 0.1 * np.cos(7 * angle)), raised=None)
    elif person.hair == "bun":
        sketch.fill(ellipse(0, -122, 26, 20), person.hair_tone, raised=None)


def draw_hair(sketch: Sketch, person: Person, rng: np.random.Generator) -> None:
    """Draw the hair (or scarf) on top of the head and in front of the face."""
    if person.hair == "bald":
        sketch.shade(ellipse(-12, -78, 18, 8), 26, "wide")
        return
    top = _crown(person)
    line = _hairline(person)
    sketch.fill(between(top, line), person.hair_tone, raised=None)
    if person.hair == "headscarf":
        _draw_scarf_edge(sketch, person)
    else:
        _draw_strands(sketch, person, top, line, rng)
    sketch.crease(line[3:-3] + (0, 2.5), 26, 4, "medium")


def _crown(person: Person) -> np.ndarray:
    """Return the outer edge of the hair, from the left temple over the top to the right one."""
    height = {"receding": -104, "curly": -118, "short": -111}.get(person.hair, -115)
    side = person.half_width + (3 if person.hair == "receding" else 6)
    ends = [(0.99 * side, -38), (0.985 * person.half_width, -12)]
    if person.hair in COVERED_EARS:
        ends = [(side, 0), (side, 60)]
    right = [(0.6 * side, height + 12), (0.96 * side, -70), *ends]
    return curve(np.array([(-x, y) for x, y in reversed(right)] + [(0, height)] + right), steps=4)


def _hairline(person: Person) -> np.ndarray:
    """Return the edge between hair and forehead, from the left temple to the right one."""
    width, top = person.half_width, person.hairline
    shapes: dict[str, list[tuple[float, float]]] = {
        "receding": [(0.98, -14), (0.93, -56), (0.66, -94), (0.2, -90)],
        "fringe": [(0.95, -12), (0.88, -42), (0.62, -54), (0.25, -56)],
        "long": [(0.9, 60), (0.86, -24), (0.66, top + 8), (0.2, top)],
        "headscarf": [(0.88, 60), (0.94, -14), (0.74, -54), (0.3, -66)],
    }
    usual: list[tuple[float, float]] = [(0.96, -12), (0.9, -46), (0.7, top + 8), (0.25, top)]
    right = [(x * width, y) for x, y in shapes.get(person.hair, usual)]
    left = [(-x, y) for x, y in right]
    if person.hair == "parted":
        right = [right[0], (0.9 * width, -42), (0.6 * width, -56), (0.2 * width, -72)]
        left[-1] = (left[-1][0], top - 8)
    return curve(np.array(left + right[::-1]), steps=3)


def _draw_strands(sketch: Sketch, person: Person, top: np.ndarray, line: np.ndarray, rng: np.random.Generator) -> None:
    """Draw lighter and darker strands from the crown down to the hairline, some past it."""
    count, reach = (26, 6) if person.hair in ("short", "fringe", "curly") else (16, 3)
    for along in rng.uniform(0.1, 0.9, size=count):
        start, end = top[int(along * len(top))], line[int(along * len(line))]
        bend = (start + end) / 2 + (rng.uniform(-5, 5), -2)
        tip = end + (rng.uniform(-6, 6), rng.uniform(0, reach))
        strand = curve(np.array([start * 0.97, bend, tip]), steps=3)
        sketch.line(strand, person.hair_tone * rng.uniform(0.82, 1.2), rng.uniform(2, 5), raised=None)


def _draw_scarf_edge(sketch: Sketch, person: Person) -> None:
    line = _hairline(person)
    sketch.line(line, person.hair_tone * 0.75, 3, raised=None)
    under = np.array([(-0.9, 54), (-0.6, 84), (0, 98), (0.6, 84), (0.9, 54), (1.3, 130), (-1.3, 130)])
    sketch.fill(under * (person.half_width, 1), person.hair_tone * 0.95, raised=None)


def draw_beard(sketch: Sketch, person: Person, face: Landmarks) -> None:
    """Draw the beard; it moves with lips and chin. Call it before the mouth is drawn."""
    tone = min(person.hair_tone * 0.9, person.skin * 0.8)
    if person.beard == "stubble":
        sketch.shade(_jaw_area(person, face), -28, "medium")
    if person.beard == "full":
        sketch.mix(_jaw_area(person, face), tone, 0.88, raised=None)
    if person.beard == "goatee":
        y = face.mouth.outer_lower[:, 1].max() + 2
        low = face.chin_y - 2
        shape = np.array([(-11, y + 3), (0, y + 1), (11, y + 3), (13, low - 8), (7, low), (-7, low), (-13, low - 8)])
        sketch.mix(curve(shape, closed=True, steps=3), tone, 0.8)
    if person.beard in ("moustache", "goatee", "full"):
        _draw_moustache(sketch, person, face, tone)


def _jaw_area(person: Person, face: Landmarks) -> np.ndarray:
    """Return the bearded area: the outline's lower part, up to a line from the ears to under the nose."""
    lower = face.outline[face.outline[:, 1] > 6]
    inner = np.array([(-0.9, 14), (-0.74, 34), (-0.45, 38), (0, 34), (0.45, 38), (0.74, 34), (0.9, 14)])
    return np.concatenate([lower, curve(inner * (person.half_width, 1), steps=3)])


def _draw_moustache(sketch: Sketch, person: Person, face: Landmarks, tone: float) -> None:
    """Draw a moustache wider than the mouth, thin in the middle and drooping at its ends."""
    lip = face.mouth.outer_upper
    (left, left_y), (right, right_y) = face.mouth.corners
    reach, middle_y = person.mouth_width + 5, lip[len(lip) // 2][1]
    ends = np.array([(min(left, -reach) - 1, left_y + 3), (max(right, reach) + 1, right_y + 3)])
    shape = [ends[0], (-0.55 * reach, middle_y - 4), (0, middle_y - 3.5), (0.55 * reach, middle_y - 4), ends[1]]
    lower = np.concatenate([ends[:1], lip[1:-1] + (0, 1.5), ends[1:]])
    sketch.mix(between(curve(np.array(shape), steps=3), lower), tone, 0.78)


def draw_glasses(sketch: Sketch, person: Person) -> None:
    """Draw frames, and darken the lenses of tinted ones."""
    if person.glasses == "none":
        return
    tone, thickness = (35, 4.5) if person.glasses in ("thick", "tinted") else (80, 2.2)
    for side in (-1, 1):
        lens = _lens(person, side)
        if person.glasses == "tinted":
            sketch.mix(lens, 25, 0.55, raised=6)
        sketch.line(np.concatenate([lens, lens[:1]]), tone, thickness, raised=6)
        temple = np.array([(side * (person.eye_x + 20), person.eye_y - 3), (side * (person.half_width + 1), -14)])
        sketch.line(temple, tone, thickness * 0.8, raised=None)
    bridge = np.array([(-(person.eye_x - 20), person.eye_y), (0, person.eye_y - 4), (person.eye_x - 20, person.eye_y)])
    sketch.line(curve(bridge, steps=3), tone, thickness, raised=8)


def _lens(person: Person, side: int) -> np.ndarray:
    x, y = side * person.eye_x, person.eye_y + 2
    corners = np.array([(-19, -9), (0, -13), (19, -9), (18, 9), (0, 14), (-18, 9)])
    return curve(corners * (side, 1) + (x, y), closed=True, steps=3)
