"""Disturbances that make the images difficult: pose, light, background, occlusion, blur and noise."""

import math

import cv2
import numpy as np

from emotion.sample.people import Person
from emotion.sample.sketch import CANVAS, Light, Pose, curve, fill, stroke

OCCLUDED_SHARE = 0.2
"""Share of the images with something in front of the face."""

BLURRED_SHARE = 0.4
"""Share of the images out of focus."""


def draw_pose(rng: np.random.Generator) -> Pose:
    """Return a nearly frontal pose in which the face fills most of the image, as in FER2013."""
    return Pose(
        yaw=float(np.clip(rng.normal(0, 0.2), -0.42, 0.42)),
        pitch=float(np.clip(rng.normal(0, 0.09), -0.2, 0.2)),
        roll=float(np.clip(rng.normal(0, 0.15), -0.4, 0.4)),
        scale=rng.uniform(0.94, 1.19),
        center=(CANVAS / 2 + rng.normal(0, 5.5), CANVAS / 2 - 3 + rng.normal(0, 5.5)),
    )


def draw_light(rng: np.random.Generator) -> Light:
    """Return a light from above or the side, sometimes hard."""
    x, y, z = rng.normal(0, 0.45), rng.normal(-0.3, 0.25), 0.85
    length = math.sqrt(x**2 + y**2 + z**2)
    return Light(direction=(x / length, y / length, z / length), ambient=rng.uniform(0.35, 0.7))


def draw_background(rng: np.random.Generator) -> np.ndarray:
    """Return a blurred background, uint8 (CANVAS, CANVAS)."""
    tone, variation = rng.uniform(25, 225), rng.choice([4, 18, 40])
    cells = np.clip(tone + variation * rng.standard_normal((5, 5)), 0, 255)
    size = (CANVAS, CANVAS)
    background: np.ndarray = cv2.resize(cells.astype(np.uint8), size, interpolation=cv2.INTER_LINEAR_EXACT)
    return background


def occlude(image: np.ndarray, person: Person, rng: np.random.Generator) -> None:
    """Draw something in front of a part of some faces, in place."""
    if rng.random() >= OCCLUDED_SHARE:
        return
    draw = (_draw_hand, _draw_strand, _draw_scarf, _draw_bar)[rng.integers(4)]
    draw(image, person, rng)


def _draw_hand(image: np.ndarray, person: Person, rng: np.random.Generator) -> None:
    """Draw fingers that reach in from below, over a cheek and sometimes the mouth."""
    side = rng.choice([-1, 1])
    base_x = CANVAS / 2 + side * rng.uniform(40, 62)
    tip_y = rng.uniform(92, 140)
    lean = -side * rng.uniform(4, 26)
    for finger in range(4):
        x = base_x + side * 13 * (finger - 1.5)
        tip = tip_y + (8, 0, 2, 12)[finger]
        bone = np.array([(x, CANVAS + 10), (x + 0.4 * lean, (tip + CANVAS) / 2), (x + lean, tip)])
        stroke(image, curve(bone, steps=4), person.skin * 0.6, 16)
        stroke(image, curve(bone, steps=4), person.skin * 0.84, 13)


def _draw_strand(image: np.ndarray, person: Person, rng: np.random.Generator) -> None:
    """Draw strands of hair that fall over one eye or cheek."""
    side = rng.choice([-1, 1])
    start = CANVAS / 2 + side * rng.uniform(0, 20)
    end = CANVAS / 2 + side * rng.uniform(35, 65)
    for strand in range(5):
        shift = side * 4 * strand
        path = np.array(
            [(start + shift, 0), ((start + end) / 2 + shift + side * 14, 60), (end + shift, 120 + 9 * strand)]
        )
        stroke(image, curve(path, steps=5), person.hair_tone * rng.uniform(0.8, 1.1), 4)


def _draw_scarf(image: np.ndarray, person: Person, rng: np.random.Generator) -> None:
    """Draw a scarf or collar over the chin."""
    top, tone = rng.uniform(146, 172), rng.uniform(30, 210)
    edge = curve(np.array([(-5, top - 14), (50, top + 4), (96, top + 8), (142, top + 3), (197, top - 12)]))
    fill(image, np.concatenate([edge, [(CANVAS, CANVAS), (0, CANVAS)]]), tone)
    for fold in (10, 22):
        stroke(image, edge + (0, fold), tone * 0.78, 3)


def _draw_bar(image: np.ndarray, person: Person, rng: np.random.Generator) -> None:
    """Draw a straight object, such as a microphone stand, through the image."""
    angle = rng.uniform(0, np.pi)
    along = np.array([np.cos(angle), np.sin(angle)]) * CANVAS
    across = np.array([-np.sin(angle), np.cos(angle)]) * rng.uniform(25, 70) * rng.choice([-1, 1])
    middle = np.array([CANVAS / 2, CANVAS / 2]) + across
    stroke(image, np.stack([middle - along, middle + along]), rng.uniform(10, 240), rng.uniform(7, 16))


def photograph(image: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return `image` as a camera would record it, uint8 (size, size): scaled down, blurred, toned, with noise."""
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    if rng.random() < BLURRED_SHARE:
        small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 0.75))
    noise = rng.uniform(0, 7.5) * rng.standard_normal(small.shape)
    recorded: np.ndarray = np.clip(np.rint(_tone_curve(rng)[small] + noise), 0, 255).astype(np.uint8)
    return recorded


def _tone_curve(rng: np.random.Generator) -> np.ndarray:
    """Return a camera's output for each of the 256 tones: gamma, contrast and brightness.

    The tones are rounded, so that processors whose powers differ in the last bit give the same images.
    """
    tones = np.linspace(0, 1, 256) ** rng.uniform(0.75, 1.35)
    return np.round(255 * (0.5 + rng.uniform(0.78, 1.2) * (tones - 0.5)) + rng.normal(0, 12), 3)
