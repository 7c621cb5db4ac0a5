"""The detector `cascade`: OpenCV's Haar cascade, the default of earlier versions.

It searches twice. A coarse search over the whole image finds places where a face may be. A close search at each place
decides whether there is one, and gives the box.
"""

import threading
from pathlib import Path

import cv2
import numpy as np

from emotion.core.errors import InputError
from emotion.faces.detection import Box, Detection, RawDetection
from emotion.faces.framing import CASCADE_FRAMING, frame_all
from emotion.faces.overlap import drop_duplicates
from emotion.faces.working_copy import scale_down, shrink_to_search

CASCADE_FILE = "haarcascade_frontalface_alt2.xml"
"""The fastest of OpenCV's frontal cascades. It gives few false alarms."""

CASCADE_WINDOW = 20
"""Side in pixels of the smallest face that the cascade can detect."""

COARSE_SIZES = 3
"""Face sizes per doubling in the coarse search. More sizes take longer and find hardly more faces."""

COARSE_SMALLEST = 1.2
"""The smallest face of the coarse search, in units of the smallest requested face. Smaller faces are detected, too."""

SAME_PLACE = 0.5
"""OpenCV's `eps`: the relative difference up to which boxes of the coarse search count as one place."""

NEAR_BORDER = 0.3
"""Border around a place that the close search covers, as a share of its side. It keeps the boxes steady."""

NEAR_SIZES = (0.7, 1.45)
"""Smallest and largest face of the close search, as shares of the side of the place."""

NEAR_WINDOWS = 2.05
"""Smallest face of the close search, in units of CASCADE_WINDOW. From 2 on, OpenCV tries every position."""

CASCADE_STEP = 1.06
"""Factor between two sizes of the close search. Larger steps make the boxes of a face less steady."""

CASCADE_NEIGHBORS = 5
"""Number of neighboring hits that a face needs in the close search. Fewer give more false alarms."""


class CascadeDetector:
    """OpenCV's cascade of boosted Haar features for frontal faces (Viola and Jones 2001).

    Args:
        smallest: the smallest face to detect, in pixels of its box's side.

    Raises:
        InputError: the installed OpenCV has no cascades.
    """

    def __init__(self, smallest: int) -> None:
        self._smallest = smallest / CASCADE_FRAMING.scale
        self._threads = threading.local()
        self._classifier()

    def detect(self, image: np.ndarray, *, level: bool = True) -> list[Detection]:
        """Return the faces in `image`, uint8 (height, width, 1 or 3), the largest first. It measures no tilts."""
        return frame_all(self.detect_raw(image), CASCADE_FRAMING)

    def detect_raw(self, image: np.ndarray) -> list[RawDetection]:
        """Return the faces in the cascade's own framing, each once. The certainty is the number of hits."""
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.shape[2] == 3 else image[:, :, 0]
        small, scale = shrink_to_search(gray)
        smallest = max(CASCADE_WINDOW, self._smallest * scale)
        near = [raw for place in self._search_coarsely(small, smallest) for raw in self._search_near(small, place)]
        return drop_duplicates(raw.enlarge(1 / scale) for raw in near if round(raw.side) >= round(smallest))

    def _search_coarsely(self, gray: np.ndarray, smallest: float) -> list[Box]:
        """Return places where faces of at least `smallest` pixels may be. Most of them hold no face.

        OpenCV tries only every second position while a face is smaller than two windows of the cascade. That is enough
        here. So faces twice as large are searched in a copy of half the size, and so on.
        """
        step = 2 ** (1 / COARSE_SIZES)
        window, below_two = (CASCADE_WINDOW, CASCADE_WINDOW), (2 * CASCADE_WINDOW - 1, 2 * CASCADE_WINDOW - 1)
        copy, scale = scale_down(gray, min(1.0, CASCADE_WINDOW / (COARSE_SMALLEST * smallest)))
        hits: list[list[int]] = []
        while min(copy.shape) >= CASCADE_WINDOW:
            boxes = self._classifier().detectMultiScale(copy, step, 0, minSize=window, maxSize=below_two)
            hits += np.rint(np.reshape(boxes, (-1, 4)) / scale).astype(int).tolist()
            copy, half = scale_down(copy, 0.5)
            scale *= half
        twice = hits * 2  # groupRectangles drops groups of one
        places = cv2.groupRectangles(twice, 1, SAME_PLACE)[0]
        return [Box(*place) for place in np.reshape(places, (-1, 4)).tolist()]

    def _search_near(self, gray: np.ndarray, place: Box) -> list[RawDetection]:
        """Return the faces about as large as `place` in and around it."""
        border = round(place.width * NEAR_BORDER)
        left, top = max(0, place.x - border), max(0, place.y - border)
        region = gray[top : place.y + place.height + border, left : place.x + place.width + border]
        low, high = (place.width * share for share in NEAR_SIZES)
        copy, scale = scale_down(region, min(1.0, NEAR_WINDOWS * CASCADE_WINDOW / low))
        smallest, largest = max(CASCADE_WINDOW, round(low * scale)), round(high * scale)
        boxes, neighbors = self._classifier().detectMultiScale2(
            copy,
            scaleFactor=CASCADE_STEP,
            minNeighbors=CASCADE_NEIGHBORS,
            minSize=(smallest, smallest),
            maxSize=(largest, largest),
        )
        rows = np.column_stack([np.reshape(boxes, (-1, 4)) / scale, np.ravel(neighbors)])
        return [RawDetection(left + x, top + y, width, height, count) for x, y, width, height, count in rows.tolist()]

    def _classifier(self) -> "cv2.CascadeClassifier":  # OpenCV 5 has none
        """Return the cascade of this thread. A cascade cannot search two images at the same time."""
        if not hasattr(self._threads, "classifier"):
            self._threads.classifier = _load_cascade()
        classifier: cv2.CascadeClassifier = self._threads.classifier
        return classifier


def _load_cascade() -> "cv2.CascadeClassifier":
    folder = getattr(getattr(cv2, "data", None), "haarcascades", "")
    path = Path(folder) / CASCADE_FILE
    if not folder or not path.is_file():
        raise InputError(
            f"the installed OpenCV {cv2.__version__} lacks {CASCADE_FILE}, the file of the detector cascade; install "
            "opencv-python-headless below 5, or choose the detector yunet"
        )
    return cv2.CascadeClassifier(str(path))
