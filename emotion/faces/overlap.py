"""The overlap of boxes, and the removal of repeated detections of one face."""

from collections.abc import Iterable

from emotion.faces.detection import Box, RawDetection

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
    return _intersection(one, other) / min(one.width * one.height, other.width * other.height)


def intersection_over_union(one: Box, other: Box) -> float:
    """Return the area that two boxes share as a share of the area that they cover together, 0 to 1."""
    shared = _intersection(one, other)
    return shared / (one.width * one.height + other.width * other.height - shared)


def _intersection(one: Box | RawDetection, other: Box | RawDetection) -> float:
    """Return the area that two boxes share."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0.0, width) * max(0.0, height)
