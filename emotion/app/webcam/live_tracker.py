"""Tracking for a camera: a separate thread searches for faces, and frames do not wait for it."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, Self

import numpy as np

from emotion.faces.detection import Detection
from emotion.inference.defaults import HALF_LIFE, SEARCH_EVERY
from emotion.inference.motion import GrayFrame
from emotion.inference.tracking import FacePredictor, FaceTracker, TrackedFace


class _Search(NamedTuple):
    """A search for faces in a frame, and its result once it is done."""

    frame: GrayFrame
    seconds: float
    leveled: bool
    detections: Future[list[Detection]]


class LiveTracker:
    """Tracks and classifies faces in the newest frame while a search runs in an earlier one.

    Detections are moved from the frame that was searched to the newest, and count as detected there. Use it as a
    context manager, which ends the thread.

    Args:
        predictor: detects and classifies faces.
        search_every: seconds from the start of one search to the next, at least.
        half_life: seconds in which half of a change shows in boxes and probabilities.
    """

    def __init__(
        self, predictor: FacePredictor, *, search_every: float = SEARCH_EVERY, half_life: float = HALF_LIFE
    ) -> None:
        self._predictor = predictor
        self._tracker = FaceTracker(predictor, search_every=search_every, half_life=half_life)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="search")
        self._search: _Search | None = None

    def update(self, image: np.ndarray, seconds: float) -> list[TrackedFace]:
        """Return the faces in the newest frame, by number; none until the first search is done.

        Args:
            image: uint8 (height, width, 1 or 3).
            seconds: when it came.
        """
        searched = self._take_search()
        frame = self._tracker.propagate(image, keep_detected=searched)
        if self._search is None and self._tracker.search_is_due(seconds):
            level = self._tracker.take_leveling(seconds)
            detections = self._executor.submit(self._predictor.detect, image, level=level)
            self._search = _Search(frame, seconds, level, detections)
        return self._tracker.classify(image, seconds)

    def _take_search(self) -> bool:
        """Update the faces of the previous frame with the search if it is done; return whether it is."""
        search = self._search
        if search is None or not search.detections.done():
            return False
        found = search.detections.result()
        self._tracker.set_detections(found, search.seconds, leveled=search.leveled, frame=search.frame)
        self._search = None
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(cancel_futures=True)
