"""Removal of repeated detections of one face."""

from collections.abc import Iterable

from emotion.faces.detection import RawDetection

SAME_FACE = 0.5
"""Two boxes show the same face where their overlap is more than this share of the smaller box."""


def drop_duplicates(raw_detections: Iterable[RawDetection]) -> list[RawDetection]:
    """Return the most certain detection of each face, the most certain first."""
    kept: list[RawDetection] = []
    for raw in sorted(raw_detections, key=lambda raw: (-raw.certainty, raw)):
        if all(overlap(raw, other) <= SAME_FACE for other in kept):
            kept.append(raw)
    return kept


def overlap(one: RawDetection, other: RawDetection) -> float:
    """Return the overlap of two boxes as a share of the smaller one, 0 to 1."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0.0, width) * max(0.0, height) / min(one.width * one.height, other.width * other.height)
