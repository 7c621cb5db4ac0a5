"""Of several detections of one face, one is kept."""

from collections.abc import Iterable

from emotion.faces.detection import RawDetection

SAME_FACE = 0.5
"""Two boxes that share more than this of the smaller one are the same face."""


def drop_duplicates(raw_detections: Iterable[RawDetection]) -> list[RawDetection]:
    """Return the detections without those of a face that a more certain one shows too, the most certain first."""
    kept: list[RawDetection] = []
    for raw in sorted(raw_detections, key=lambda raw: (-raw.certainty, raw)):
        if all(overlap(raw, other) <= SAME_FACE for other in kept):
            kept.append(raw)
    return kept


def overlap(one: RawDetection, other: RawDetection) -> float:
    """Return how much of the smaller of two boxes the other covers, 0 to 1."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0.0, width) * max(0.0, height) / min(one.width * one.height, other.width * other.height)
