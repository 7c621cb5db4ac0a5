"""Framing: from the box of a detector to the square that FER2013 would show of the face.

Detectors differ in how much of a face their boxes show. Models are trained on FER2013, so the boxes of all detectors
are turned into the framing of FER2013. `benchmarks/framing.py` measures the scales.
"""

from collections.abc import Iterable

from emotion.faces.detection import Box, Detection, RawDetection

CASCADE_SCALE = 1.03
"""Side of FER2013's square in units of the cascade's box. FER2013 was cropped along similar boxes."""

MTCNN_SCALE = 1.09
"""The same in units of the mean of width and height of MTCNN's box, which ends at hairline, chin and cheeks."""


def frame_all(raw_detections: Iterable[RawDetection], scale: float) -> list[Detection]:
    """Return the detections framed as by `frame`, the largest first."""
    detections = [frame(raw, scale) for raw in raw_detections]
    return sorted(detections, key=lambda detection: (-detection.box.width, detection.box))


def frame(raw: RawDetection, scale: float) -> Detection:
    """Return the face in a square around the center of its box. The square's side is `scale` times that of the box."""
    side = raw.side * scale
    x, y = raw.x + (raw.width - side) / 2, raw.y + (raw.height - side) / 2
    return Detection(Box(round(x), round(y), round(side), round(side)), raw.eyes)
