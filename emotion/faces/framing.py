"""Framing: from the box of a detector to the square that FER2013 would show of the face.

Detectors differ in how much of a face their boxes show. Models are trained on FER2013, so the boxes of all detectors
are turned into the framing of FER2013. `benchmarks/framing.py` measures the framings.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

from emotion.faces.detection import Box, Detection, RawDetection


class Framing(NamedTuple):
    """The place of FER2013's square relative to a detector's box.

    Attributes:
        scale: the square's side as a multiple of the mean of the box's width and height.
        down: how far the square's center is below that of the box, as a share of the square's side.
    """

    scale: float
    down: float = 0.0


YUNET_FRAMING = Framing(scale=1.12, down=-0.03)
"""YuNet's box ends at hairline, chin and cheeks."""

CASCADE_FRAMING = Framing(scale=1.03)
"""FER2013 was cropped along boxes like those of the cascade."""


def frame_all(raw_detections: Iterable[RawDetection], framing: Framing) -> list[Detection]:
    """Return the detections framed as by `frame`, the largest first."""
    return sort_by_size(frame(raw, framing) for raw in raw_detections)


def sort_by_size(detections: Iterable[Detection]) -> list[Detection]:
    """Return the detections, the largest first."""
    return sorted(detections, key=lambda detection: (-detection.box.width, detection.box))


def frame(raw: RawDetection, framing: Framing, tilt: float = 0.0) -> Detection:
    """Return the face in FER2013's square.

    Args:
        raw: the face in its detector's framing.
        framing: that of the detector.
        tilt: of the face, in radians; `down` follows it.
    """
    side = raw.side * framing.scale
    x, y = raw.center
    x, y = x - math.sin(tilt) * framing.down * side, y + math.cos(tilt) * framing.down * side
    return Detection(Box(round(x - side / 2), round(y - side / 2), round(side), round(side)), tilt)
