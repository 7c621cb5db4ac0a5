"""The people in the sample: the features that all images of a person share."""

from dataclasses import dataclass

import numpy as np

HAIR_STYLES = ("bald", "receding", "short", "parted", "fringe", "long", "curly", "bun", "headscarf")
HAIR_SHARES = (0.07, 0.09, 0.2, 0.14, 0.12, 0.16, 0.1, 0.06, 0.06)
BEARDS = ("none", "stubble", "moustache", "goatee", "full")
BEARD_SHARES = (0.66, 0.12, 0.07, 0.06, 0.09)
GLASSES = ("none", "thin", "thick", "tinted")
GLASSES_SHARES = (0.78, 0.1, 0.08, 0.04)


@dataclass(frozen=True)
class Person:
    """One person. Lengths are in canvas pixels (see `sketch.CANVAS`), tones in gray values from 0 to 255.

    Attributes with no unit are factors: 1 is the average person.
    """

    skin: float
    half_width: float
    chin_y: float
    jaw: float
    chin: float
    ears: float
    brow_y: float
    brow_thickness: float
    brow_arch: float
    brow_tilt: float
    brow_tone: float
    eye_x: float
    eye_y: float
    eye_width: float
    eye_open: float
    eye_tilt: float
    iris: float
    nose_length: float
    nose_width: float
    mouth_y: float
    mouth_width: float
    mouth_rest: float
    lips: float
    lip_tone: float
    age: float
    hair: str
    hair_tone: float
    hairline: float
    beard: str
    glasses: str
    clothes: float


def draw_person(rng: np.random.Generator) -> Person:
    """Return a random person; hair, brows and beard fit each other and the skin."""
    skin = float(rng.choice([rng.uniform(178, 216), rng.uniform(140, 178), rng.uniform(94, 140)], p=[0.5, 0.3, 0.2]))
    age = rng.beta(1.2, 2.2)
    hair_tone = _hair_tone(skin, age, rng)
    hair = str(rng.choice(HAIR_STYLES, p=HAIR_SHARES))
    bearded = hair not in ("long", "bun", "headscarf")
    return Person(
        skin=skin,
        half_width=rng.uniform(59, 71),
        chin_y=rng.uniform(78, 89),
        jaw=rng.uniform(0.68, 0.88),
        chin=rng.uniform(0.36, 0.56),
        ears=rng.uniform(0.7, 1.2),
        brow_y=rng.uniform(-41, -36),
        brow_thickness=rng.uniform(4.0, 8.5),
        brow_arch=rng.uniform(1.5, 6),
        brow_tilt=rng.normal(0, 1.3),
        brow_tone=min(hair_tone, skin * 0.62) if hair_tone < 150 else skin * 0.62,
        eye_x=rng.uniform(26, 31),
        eye_y=rng.uniform(-20, -15),
        eye_width=rng.uniform(13, 16.5),
        eye_open=rng.uniform(0.85, 1.15),
        eye_tilt=rng.normal(0.5, 1.2),
        iris=float(rng.choice([rng.uniform(25, 60), rng.uniform(80, 125)], p=[0.65, 0.35])),
        nose_length=rng.uniform(0.88, 1.15),
        nose_width=rng.uniform(0.8, 1.3),
        mouth_y=rng.uniform(44, 51),
        mouth_width=rng.uniform(21, 27),
        mouth_rest=rng.normal(-0.3, 0.8),
        lips=rng.uniform(0.65, 1.4),
        lip_tone=rng.uniform(0.6, 0.82),
        age=age,
        hair=hair,
        hair_tone=hair_tone,
        hairline=rng.uniform(-84, -70),
        beard=str(rng.choice(BEARDS, p=BEARD_SHARES)) if bearded else "none",
        glasses=str(rng.choice(GLASSES, p=GLASSES_SHARES)),
        clothes=rng.uniform(20, 220),
    )


def _hair_tone(skin: float, age: float, rng: np.random.Generator) -> float:
    """Return a gray value: dark on dark skin, anything on light skin, gray for some of the old."""
    if age > 0.6 and rng.random() < 0.6:
        return rng.uniform(165, 215)
    return rng.uniform(18, 60) if skin < 150 or rng.random() < 0.55 else rng.uniform(60, 165)
