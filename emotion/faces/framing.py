"""From a detector's own box to the square that FER2013 would show of the face.

Each detector has its own idea of where a face ends. Models learn from FER2013, so every detection is framed as FER2013
frames faces, whichever detector it comes from. `benchmarks/framing.py` measures the scales.
"""

from collections.abc import Iterable

from emotion.faces.detection import Box, Detection, RawDetection

CASCADE_SCALE = 1.03
"""The side of FER2013's square as a share of the cascade's box: FER2013 was cropped along such boxes."""

MTCNN_SCALE = 1.09
"""The same as a share of the mean of width and height of MTCNN's box, which ends at hairline, chin and cheeks."""


def frame_all(raw_detections: Iterable[RawDetection], scale: float) -> list[Detection]:
    """Return the detections framed as by `frame`, the largest first."""
    detections = [frame(raw, scale) for raw in raw_detections]
    return sorted(detections, key=lambda detection: (-detection.box.width, detection.box))


def frame(raw: RawDetection, scale: float) -> Detection:
    """Return the face in a square around the center of its box, with `scale` times its side."""
    side = raw.side * scale
    x, y = raw.x + (raw.width - side) / 2, raw.y + (raw.height - side) / 2
    return Detection(Box(round(x), round(y), round(side), round(side)), raw.eyes)
