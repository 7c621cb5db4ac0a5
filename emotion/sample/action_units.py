"""The facial action units (FACS) that show each emotion, and their intensities in one image.

The units are from Ekman and Friesen's Facial Action Coding System (1978, 2002). The sets per emotion are from its
emotion tables (EMFACS). The core units of an emotion move in every image of it, the others in some images.
"""

from dataclasses import dataclass

import numpy as np

NAMES = {
    1: "inner brow raiser",
    2: "outer brow raiser",
    4: "brow lowerer",
    5: "upper lid raiser",
    6: "cheek raiser",
    7: "lid tightener",
    9: "nose wrinkler",
    10: "upper lip raiser",
    12: "lip corner puller",
    15: "lip corner depressor",
    16: "lower lip depressor",
    17: "chin raiser",
    20: "lip stretcher",
    23: "lip tightener",
    24: "lip pressor",
    25: "lips part",
    26: "jaw drop",
    27: "mouth stretch",
    43: "eyes closed",
}
"""The action units that the drawing knows, by their FACS number."""

Units = dict[int, float]
"""Intensity of every unit in NAMES: 0 at rest, 1 at its strongest (FACS writes A to E)."""


@dataclass(frozen=True)
class Expression:
    """The action units of one emotion.

    `core` moves in every image; `often` maps a further unit to the probability that it moves as well.
    """

    core: tuple[int, ...]
    often: dict[int, float]


EXPRESSIONS = {
    "angry": Expression(core=(4, 5, 7, 23), often={24: 0.5, 17: 0.4, 25: 0.25, 10: 0.15}),
    "disgust": Expression(core=(9, 10), often={4: 0.4, 17: 0.5, 15: 0.4, 25: 0.4, 6: 0.3, 7: 0.4}),
    "fear": Expression(core=(1, 2, 4, 5, 20), often={7: 0.4, 25: 0.8, 26: 0.5, 16: 0.4}),
    "happy": Expression(core=(6, 12), often={25: 0.7, 26: 0.25, 7: 0.2}),
    "sad": Expression(core=(1, 4, 15), often={17: 0.6, 43: 0.5, 7: 0.2, 24: 0.2}),
    "surprise": Expression(core=(1, 2, 5, 26), often={25: 0.9, 27: 0.35}),
    "neutral": Expression(core=(), often={}),
}

STRENGTH = (0.5, 1.0)
"""Range of the intensity of an image's whole expression."""

STRAY_UNITS = 2
"""Number of units unrelated to the emotion that move in every image."""

STRAY_STRENGTH = 0.22
"""Their largest intensity."""

ASYMMETRY = 0.12
"""Standard deviation of the share by which one half of the face moves more and the other less."""


def draw_units(emotion: str, rng: np.random.Generator) -> Units:
    """Return the intensities of one image of `emotion`, with a few unrelated units moving a little."""
    units = dict.fromkeys(NAMES, 0.0)
    for unit in rng.choice(list(NAMES), size=STRAY_UNITS, replace=False):
        units[int(unit)] = rng.uniform(0, STRAY_STRENGTH)
    strength = rng.uniform(*STRENGTH)
    for unit in _moving(EXPRESSIONS[emotion], rng):
        units[unit] = min(1.0, strength * rng.uniform(0.75, 1.2))
    return units


def _moving(expression: Expression, rng: np.random.Generator) -> list[int]:
    further = [unit for unit, probability in expression.often.items() if rng.random() < probability]
    return [*expression.core, *further]


def draw_sides(units: Units, rng: np.random.Generator) -> tuple[Units, Units]:
    """Return `units` for the left and the right half of the image, which move by different shares."""
    lean = rng.normal(0, ASYMMETRY)
    return _scaled(units, 1 - lean), _scaled(units, 1 + lean)


def _scaled(units: Units, factor: float) -> Units:
    return {unit: min(1.0, max(0.0, intensity * factor)) for unit, intensity in units.items()}
