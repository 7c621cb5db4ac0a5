"""The detector `cascade`: OpenCV's Haar cascade, quick and without TensorFlow.

It searches twice. A coarse search over the whole image gives the places where a face may be. A close search at each
place decides, and gives the box.
"""

import threading
from pathlib import Path

import cv2
import numpy as np

from emotion.core.errors import InputError
from emotion.faces.detection import Box, Detection, RawDetection
from emotion.faces.framing import CASCADE_SCALE, frame_all
from emotion.faces.overlap import drop_duplicates
from emotion.faces.working_copy import scale_down, shrink_to_search

CASCADE_FILE = "haarcascade_frontalface_alt2.xml"
"""The quickest of OpenCV's frontal cascades, and one with few false alarms."""

CASCADE_WINDOW = 20
"""Side in pixels of the smallest face that the cascade knows."""

COARSE_SIZES = 3
"""Sizes of a face that the coarse search tries per doubling. More take longer and hardly find more faces."""

COARSE_SMALLEST = 1.2
"""The smallest face of the coarse search, as a share of the smallest one asked for: it detects smaller ones too."""

SAME_PLACE = 0.5
"""How much boxes of the coarse search may differ that are one place: OpenCV's `eps`."""

NEAR_BORDER = 0.3
"""How far around a place the close search goes, as a share of its side: it keeps the boxes steady."""

NEAR_SIZES = (0.7, 1.45)
"""The sizes that the close search tries, as shares of the place's side. A box is the mean of many hits."""

NEAR_WINDOWS = 2.05
"""The close search's smallest face in windows of the cascade: from twice on, OpenCV tries every place."""

CASCADE_STEP = 1.06
"""The factor between two sizes of the close search. Larger steps make the boxes of one face less steady."""

CASCADE_NEIGHBORS = 5
"""A face needs more hits around it than this in the close search. Fewer raise false alarms."""


class CascadeDetector:
    """OpenCV's cascade of boosted Haar features for frontal faces: Viola and Jones 2001. It gives no eyes.

    Args:
        smallest: the smallest face to detect, in pixels of its box's side.

    Raises:
        InputError: this OpenCV brings no cascades.
    """

    def __init__(self, smallest: int) -> None:
        self._smallest = smallest / CASCADE_SCALE
        self._threads = threading.local()
        self._classifier()

    def detect(self, image: np.ndarray) -> list[Detection]:
        """Return the faces in `image`, uint8 (height, width, 1 or 3), the largest first."""
        return frame_all(self.detect_raw(image), CASCADE_SCALE)

    def detect_raw(self, image: np.ndarray) -> list[RawDetection]:
        """Return the faces as the cascade itself frames them, each once; the certainty is the number of hits."""
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.shape[2] == 3 else image[:, :, 0]
        small, scale = shrink_to_search(gray)
        smallest = max(CASCADE_WINDOW, self._smallest * scale)
        near = [raw for place in self._search_coarsely(small, smallest) for raw in self._search_near(small, place)]
        return drop_duplicates(_enlarge(raw, 1 / scale) for raw in near if round(raw.side) >= round(smallest))

    def _search_coarsely(self, gray: np.ndarray, smallest: float) -> list[Box]:
        """Return where faces of at least `smallest` pixels may be; most places hold none.

        OpenCV tries only every second place while a face is smaller than two of the cascade's windows, which is enough
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
        twice = hits * 2  # since groups of one are left out
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

    def _classifier(self) -> cv2.CascadeClassifier:
        """Return the cascade of this thread: one cannot search two images at a time."""
        if not hasattr(self._threads, "classifier"):
            self._threads.classifier = _load_cascade()
        classifier: cv2.CascadeClassifier = self._threads.classifier
        return classifier


def _enlarge(raw: RawDetection, factor: float) -> RawDetection:
    x, y, width, height = (factor * value for value in raw[:4])
    return raw._replace(x=x, y=y, width=width, height=height)


def _load_cascade() -> cv2.CascadeClassifier:
    folder = getattr(getattr(cv2, "data", None), "haarcascades", "")
    path = Path(folder) / CASCADE_FILE
    if not folder or not path.is_file():
        raise InputError(
            f"this OpenCV ({cv2.__version__}) does not bring {CASCADE_FILE}, which detects faces; install the one in "
            "requirements.txt, or choose the detector mtcnn"
        )
    return cv2.CascadeClassifier(str(path))
