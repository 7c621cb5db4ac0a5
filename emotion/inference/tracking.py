"""The faces of a video, frame by frame: numbered, with boxes that move along and probabilities that do not flicker.

    tracker = FaceTracker(Predictor("models/model.tflite"))
    for frame, tracked_faces in tracker.track(VideoReader(Path("holiday.mp4"))):
        for tracked in tracked_faces:
            print(frame.seconds, tracked.number, tracked.face.emotion)

By default every frame is searched for faces. Between searches that are rarer, boxes move with the image inside them
(`emotion.inference.motion`). Which box is which face is decided in `emotion.inference.box_tracking`. Tilts change
slowly and take longer to measure than a search, so they are measured every LEVEL_EVERY seconds.

The same frames give the same faces: nothing here reads the clock.
"""

import math
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from emotion.faces.detection import Detection
from emotion.inference.ahead import map_ahead
from emotion.inference.box_tracking import TIME_TOLERANCE, BoxTracker, to_box_array
from emotion.inference.defaults import HALF_LIFE, SEARCH_EVERY
from emotion.inference.motion import GrayFrame, move_boxes
from emotion.inference.predictor import Face

LEVEL_EVERY = 0.15
"""Seconds from one measurement of the tilts of all faces to the next."""

CONFIRM_WITHIN = 0.15
"""Seconds, at most, from one search to the next while a face is tentative."""

SEARCHING_THREADS = 2
"""Threads that search the next frames of a video while one is classified."""


class TimedImage(Protocol):
    """A frame of a video."""

    @property
    def seconds(self) -> float:
        """Its time, which does not go back."""
        ...

    @property
    def image(self) -> np.ndarray:
        """The frame, uint8 (height, width, 1 or 3)."""
        ...


Frame = TypeVar("Frame", bound=TimedImage)


class FacePredictor(Protocol):
    """The methods of a predictor that tracking uses. `emotion.inference.predictor.Predictor` has them."""

    def detect(self, image: np.ndarray, /, *, level: bool = True) -> list[Detection]:
        """Return the faces in an image, with their tilts if `level`."""
        ...

    def crop(self, image: np.ndarray, detection: Detection, /) -> np.ndarray:
        """Return the crop of a face, as the model takes it."""
        ...

    def probabilities(self, crops: np.ndarray, /) -> np.ndarray:
        """Return the probabilities of the emotions, a row for each crop."""
        ...

    def make_faces(self, detections: Sequence[Detection], probabilities: np.ndarray, /) -> list[Face]:
        """Return a face for each detection, with its row of `probabilities`."""
        ...


class TrackedFace(NamedTuple):
    """A face in a frame.

    Attributes:
        number: its number in the video, from 1.
        face: where it is and what it shows.
        detected: whether a search found it in this frame; if not, its box moved here from an earlier one.
    """

    number: int
    face: Face
    detected: bool


class FaceTracker:
    """Detects, tracks and classifies the faces of a video, frame by frame.

    Args:
        predictor: detects and classifies faces.
        search_every: seconds from one search for faces to the next; 0 searches in every frame. Besides, there is one
            whenever a face gets lost.
        classify_every: the model classifies the faces in every so-many-th frame; between, they keep their
            probabilities. New faces are classified at once.
        half_life: seconds in which half of a change shows in boxes and probabilities. With 0 nothing is smoothed, and
            faces come and go with every search; with `search_every` 0 too, each frame is predicted as an image is.
    """

    def __init__(
        self,
        predictor: FacePredictor,
        *,
        search_every: float = SEARCH_EVERY,
        classify_every: int = 1,
        half_life: float = HALF_LIFE,
    ) -> None:
        self._predictor = predictor
        self._search_every = search_every
        self._classify_every = classify_every
        self._half_life = half_life
        self._boxes = BoxTracker(half_life)
        self._frame: GrayFrame | None = None
        self._frame_number = -1
        self._last_search = -math.inf
        self._last_leveled = -math.inf

    def track(self, frames: Iterable[Frame]) -> Generator[tuple[Frame, list[TrackedFace]], None, None]:
        """Yield each frame of a video with its faces, by number, as `update` returns them.

        Where every frame is searched, other threads search the next ones ahead. Close it where it is not used to its
        end.
        """
        if self._search_every:
            for frame in frames:
                yield frame, self.update(frame.image, frame.seconds)
            return
        timed = ((frame, self.take_leveling(frame.seconds)) for frame in frames)
        with closing(map_ahead(self._search, timed, SEARCHING_THREADS)) as searched:
            for (frame, leveled), detections in searched:
                self.propagate(frame.image)
                self.set_detections(detections, frame.seconds, leveled=leveled)
                yield frame, self.classify(frame.image, frame.seconds)

    def update(self, image: np.ndarray, seconds: float) -> list[TrackedFace]:
        """Return the faces in the next frame, by number.

        Args:
            image: uint8 (height, width, 1 or 3).
            seconds: the frame's time; it does not go back.
        """
        self.propagate(image)
        if self.search_is_due(seconds):
            level = self.take_leveling(seconds)
            self.set_detections(self._predictor.detect(image, level=level), seconds, leveled=level)
        return self.classify(image, seconds)

    def take_leveling(self, seconds: float) -> bool:
        """Return whether the search at this time is to measure tilts, and note that it does."""
        due = not self._half_life or seconds - self._last_leveled >= LEVEL_EVERY - TIME_TOLERANCE
        self._last_leveled = seconds if due else self._last_leveled
        return due

    def search_is_due(self, seconds: float) -> bool:
        """Return whether to search for faces at this time: after a while, and when faces are lost or tentative."""
        interval = self._search_every
        if self._boxes.has_tentative:
            interval = min(interval, CONFIRM_WITHIN)
        return self._boxes.has_lost or seconds - self._last_search >= interval - TIME_TOLERANCE

    def propagate(self, image: np.ndarray, *, keep_detected: bool = False) -> GrayFrame:
        """Go to the next frame and move all boxes there.

        Args:
            image: uint8 (height, width, 1 or 3).
            keep_detected: whether faces that were detected last count as detected in this frame, too.

        Returns:
            The frame, for a later `set_detections`.
        """
        previous, self._frame = self._frame, GrayFrame.of(image)
        if not keep_detected:
            self._boxes.clear_detected()
        if previous is not None:
            self._boxes.propagate(previous, self._frame)
        self._frame_number += 1
        return self._frame

    def set_detections(
        self,
        detections: Sequence[Detection],
        seconds: float,
        *,
        leveled: bool = True,
        frame: GrayFrame | None = None,
    ) -> None:
        """Update the tracks with what a search found.

        Args:
            detections: the faces that were found.
            seconds: the time of the frame that was searched.
            leveled: whether their tilts were measured. If not, faces keep the tilts that they have.
            frame: that frame, as `propagate` returned it, if it is an earlier one.
        """
        boxes = [to_box_array(detection, leveled=leveled) for detection in detections]
        if frame is not None and self._frame is not None and frame is not self._frame:
            boxes = [box for box in move_boxes(frame, self._frame, boxes) if box is not None]
        self._boxes.update_boxes(boxes, seconds)
        self._last_search = seconds

    def _search(self, timed: tuple[TimedImage, bool]) -> list[Detection]:
        frame, level = timed
        return self._predictor.detect(frame.image, level=level)

    def classify(self, image: np.ndarray, seconds: float) -> list[TrackedFace]:
        """Return the faces in this frame, by number, after the model has classified those that are due."""
        tracks = self._boxes.visible
        all_due = self._frame_number % self._classify_every == 0
        due = [track for track in tracks if all_due or track.probabilities is None]
        if due:
            crops = np.stack([self._predictor.crop(image, track.detection) for track in due])
            self._boxes.update_scores(due, self._predictor.probabilities(crops), seconds)
        if not tracks:
            return []
        probabilities = np.array([track.probabilities for track in tracks])
        faces = self._predictor.make_faces([track.detection for track in tracks], probabilities)
        return [TrackedFace(track.number, face, track.detected) for track, face in zip(tracks, faces, strict=True)]
