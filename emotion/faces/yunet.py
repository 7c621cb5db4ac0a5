"""The detector `yunet`, the default: it finds frontal, turned, tilted and partly covered faces.

It searches a smaller copy of the image. Faces with a middling score are confirmed by a closer look. `benchmarks/
detection.py` measures it on photos.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from emotion.faces.close_look import confirm, measure_tilt
from emotion.faces.detection import Detection, RawDetection
from emotion.faces.framing import YUNET_FRAMING, frame, sort_by_size
from emotion.faces.overlap import drop_duplicates
from emotion.faces.working_copy import WORKING_PIXELS, scale_down
from emotion.faces.yunet_network import find_faces

SURE_SCORE = 0.75
"""The score from which on a face needs no confirmation. OpenCV's usual 0.9 would lose every fourth face."""

LEAST_SCORE = 0.65
"""The lowest score of a face that a closer look may confirm."""

SMALLEST_SIDE = 20
"""Pixels of the smallest requested face in the searched copy."""

LARGEST_COPY = 640
"""Longest side of a copy in which all faces are found. In a larger one, YuNet misses the largest faces."""

COARSE_COPY = 320
"""Longest side of the second copy that is searched for them."""


@dataclass(frozen=True)
class Search:
    """A setting of the search.

    Attributes:
        least_copy: longest side, at least, of the searched copy in pixels, unless the image is smaller. More finds more
            faces, and takes longer.
    """

    least_copy: int


QUICK = Search(least_copy=256)
"""Faces of 40 pixels become 20, and faces in small images less. It is the default everywhere."""

THOROUGH = Search(least_copy=640)
"""Images of up to 640 pixels are searched as they are."""


class YuNetDetector:
    """YuNet, a small convolutional network (Wu, Peng and Yu 2023), with a closer look at uncertain and tilted faces.

    Args:
        smallest: the smallest face to detect, in pixels of its box's side.
        search: QUICK or THOROUGH.
    """

    def __init__(self, smallest: int, search: Search = QUICK) -> None:
        self._smallest, self._search = smallest, search

    def detect(self, image: np.ndarray, *, level: bool = True) -> list[Detection]:
        """Return the faces in `image`, uint8 (height, width, 1 or 3), the largest first, with tilts if `level`."""
        tilts = ((raw, measure_tilt(image, raw) if level else 0.0) for raw in self.detect_raw(image))
        return sort_by_size(frame(raw, YUNET_FRAMING, tilt) for raw, tilt in tilts)

    def detect_raw(self, image: np.ndarray) -> list[RawDetection]:
        """Return the faces in YuNet's own framing, each once, the most certain first. The certainty is its score."""
        found = [raw for scale in self._scales(image) for raw in self._search_copy(image, scale)]
        large = (raw for raw in found if raw.side * YUNET_FRAMING.scale >= self._smallest)
        return [raw for raw in drop_duplicates(large) if raw.certainty >= SURE_SCORE or confirm(image, raw)]

    def _search_copy(self, image: np.ndarray, scale: float) -> Iterable[RawDetection]:
        copy, scale = scale_down(image, scale)
        return (raw.enlarge(1 / scale) for raw in find_faces(copy, LEAST_SCORE))

    def _scales(self, image: np.ndarray) -> list[float]:
        """Return the scales of the copies to search."""
        fine, longest = self._fine_scale(image), max(image.shape[:2])
        return [fine, COARSE_COPY / longest] if fine * longest > LARGEST_COPY else [fine]

    def _fine_scale(self, image: np.ndarray) -> float:
        height, width = image.shape[:2]
        wanted: float = max(SMALLEST_SIDE / self._smallest, self._search.least_copy / max(height, width))
        return min(1.0, wanted, math.sqrt(WORKING_PIXELS / (height * width)))
