"""Tracks of boxes: which box of a frame belongs to which face while faces move, come and go.

`emotion.inference.tracking` has the tracker for images, which is what programs use. It detects and classifies the
faces, and keeps their tracks here.

After the first search, a face counts once two searches have found it. A box that only one search finds is no face. A
face that searches miss stays for as long as it was there before, up to MAX_MISSED seconds.

A face that another one hides keeps its number. It comes back somewhere between where it was found last and where its
motion would have taken it by then: people behind others walk on, stop or turn back. `benchmarks/identities.py` counts
the numbers that change.

Boxes and probabilities are smoothed exponentially in seconds, so that the frame rate does not matter. Boxes are
smoothed on top of their motion, so they do not lag behind a face.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from emotion.faces.detection import Box, Detection
from emotion.inference.defaults import HALF_LIFE
from emotion.inference.motion import GrayFrame, move_boxes

MAX_MISSED = 0.5
"""Seconds, at most, for which a face that searches miss stays. Detectors often miss a face for a frame or two."""

KEEP_NUMBER = 3.0
"""Seconds, from its last detection, for which a face that is gone keeps its number in case it comes back."""

MAX_DISTANCE = 0.75
"""The largest `box_distance` between a detection and the track that it belongs to."""

MAX_MISSED_DISTANCE = 1.0
"""The same for a face that the last search missed. While another one covers it, its last boxes are less exact."""

DUPLICATE_DISTANCE = 0.4
"""Two tracks closer than this show one face. The one that searches no longer find is hidden or no face."""

MOTION_HALF_LIFE = 0.25
"""Seconds in which the measured velocity of a face follows half of a change."""

TIME_TOLERANCE = 1e-6
"""Seconds by which times may differ and count as equal."""


@dataclass
class Track:
    """One face, from frame to frame.

    Attributes:
        box: float64 (5,), as x, y, width and height in pixels, and the tilt in radians, NaN if it is unknown.
        found: the box of its last detection, which is not smoothed.
        first_detected: seconds at which a search found it first, since it is in the image.
        last_detected: seconds at which a search found it last.
        number: from 1, in the order of appearance; 0 while it is tentative.
        detected: whether a search found it in this frame.
        missed: whether the last search did not find it.
        gone: whether it left the image, and only its number is kept.
        lost: whether its motion could not be measured since its last detection.
        probabilities: float64 (classes,), smoothed and before the temperature; None until the model classified it.
        last_scored: seconds at which the model classified it last.
        velocity: float64 (2,), of the center from one detection to the next, in pixels a second, smoothed.
    """

    box: np.ndarray
    found: np.ndarray
    first_detected: float
    last_detected: float
    number: int = 0
    detected: bool = True
    missed: bool = False
    gone: bool = False
    lost: bool = False
    probabilities: np.ndarray | None = None
    last_scored: float = 0.0
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))

    @property
    def tentative(self) -> bool:
        """Whether another search has yet to confirm that it is a face."""
        return not self.number

    @property
    def visible(self) -> bool:
        """Whether it is a face, and in the image."""
        return not (self.tentative or self.gone)

    @property
    def detection(self) -> Detection:
        """The face as a detection, with its box in whole pixels."""
        return _to_detection(self.box)

    def distance(self, box: np.ndarray, seconds: float) -> float:
        """Return how far a box that a search found is from where the face can be at that time."""
        if not self.missed:
            return box_distance(self.box, box)
        # Its box may have followed the face that hides it, so it does not count.
        way = self.velocity * (seconds - self.last_detected)
        length = float(way @ way)
        share = float(np.clip((_center(box) - _center(self.found)) @ way / length, 0, 1)) if length else 0.0
        place = self.found.copy()
        place[:2] += share * way
        return box_distance(place, box)


class BoxTracker:
    """Keeps the tracks of a video's faces, from boxes and probabilities.

    Args:
        half_life: seconds in which half of a change shows in boxes and probabilities. With 0 nothing is smoothed, and
            faces come and go with every search.
    """

    def __init__(self, half_life: float = HALF_LIFE) -> None:
        self._half_life = half_life
        self._confirmed_count = 0
        self._searched = False
        self.tracks: list[Track] = []
        """Faces in the image, tentative ones, and those that are gone and keep their number for a while."""

    @property
    def visible(self) -> list[Track]:
        """The faces in the image, by number."""
        return sorted((track for track in self.tracks if track.visible), key=lambda track: track.number)

    @property
    def has_lost(self) -> bool:
        """Whether the motion of a face in the image could not be measured up to this frame."""
        return any(track.lost and track.visible for track in self.tracks)

    @property
    def has_tentative(self) -> bool:
        """Whether a search found something that another one has yet to confirm."""
        return any(track.tentative for track in self.tracks)

    def propagate(self, previous: GrayFrame, current: GrayFrame) -> None:
        """Move the boxes from one frame to the next. A face whose motion cannot be measured stays where it was."""
        tracks = [track for track in self.tracks if not (track.gone or track.lost)]
        moved = move_boxes(previous, current, [track.box for track in tracks])
        for track, box in zip(tracks, moved, strict=True):
            track.lost = box is None
            track.box = track.box if box is None else box

    def update_boxes(self, boxes: Sequence[np.ndarray], seconds: float) -> None:
        """Update the tracks with the boxes that a search found; boxes that match no track start new ones."""
        self.clear_detected()
        # Faces that the last search found come first: one that is hidden does not take the box of the one in front.
        found = [track for track in self.tracks if not track.missed]
        missed = [track for track in self.tracks if track.missed]
        unmatched = self._update_matched(found, boxes, seconds, MAX_DISTANCE)
        unmatched = self._update_matched(missed, unmatched, seconds, MAX_MISSED_DISTANCE)
        for box in unmatched:
            self._start_track(box, seconds)
        self._searched = True
        self._remove_missed(seconds)

    def update_scores(self, tracks: Sequence[Track], probabilities: np.ndarray, seconds: float) -> None:
        """Update the probabilities of some tracks with the model's, (n, classes)."""
        for track, scores in zip(tracks, probabilities, strict=True):
            if track.probabilities is None:
                track.probabilities = scores
            weight = smoothing_weight(seconds - track.last_scored, self._half_life)
            track.probabilities = track.probabilities + weight * (scores - track.probabilities)
            track.last_scored = seconds

    def clear_detected(self) -> None:
        """Note that no search has found a face in this frame."""
        for track in self.tracks:
            track.detected = False

    def _update_matched(
        self, tracks: Sequence[Track], boxes: Sequence[np.ndarray], seconds: float, most: float
    ) -> list[np.ndarray]:
        """Update the tracks that match one of `boxes`, up to the distance `most`; return the boxes that are left."""
        distances = [[track.distance(box, seconds) for box in boxes] for track in tracks]
        pairs = match_nearest(distances, most)
        for track, box in pairs:
            self._update_track(tracks[track], boxes[box], seconds)
        matched = {box for _, box in pairs}
        return [box for index, box in enumerate(boxes) if index not in matched]

    def _update_track(self, track: Track, box: np.ndarray, seconds: float) -> None:
        # The old box of a face that was missed or lost may be in another place, so nothing is smoothed.
        fresh, passed = track.missed or track.lost, seconds - track.last_detected
        weight = 1.0 if fresh else smoothing_weight(passed, self._half_life)
        box = np.where(np.isnan(box), track.found, box)
        old = np.where(np.isnan(track.box), box, track.box)
        track.box = box if weight == 1 else old + weight * (box - old)
        if passed > 0:
            velocity = (_center(box) - _center(track.found)) / passed
            track.velocity = track.velocity + smoothing_weight(passed, MOTION_HALF_LIFE) * (velocity - track.velocity)
        track.found = box
        track.first_detected = seconds if track.gone else track.first_detected
        track.last_detected = seconds
        track.detected, track.missed, track.gone, track.lost = True, False, False, False
        if track.tentative:
            self._confirm(track)

    def _start_track(self, box: np.ndarray, seconds: float) -> None:
        track = Track(box, box, seconds, seconds)
        self.tracks.append(track)
        # Faces of the first search need no confirmation.
        if not self._searched or self._half_life == 0:
            self._confirm(track)

    def _confirm(self, track: Track) -> None:
        self._confirmed_count += 1
        track.number = self._confirmed_count

    def _remove_missed(self, seconds: float) -> None:
        """Hide faces that searches miss for too long or that others hide; forget old and unconfirmed ones."""
        self.tracks = [track for track in self.tracks if track.detected or not track.tentative]
        for track in self.tracks:
            track.missed = not track.detected
            track.gone = track.gone or (track.missed and self._is_gone(track, seconds))
        self.tracks = [
            track
            for track in self.tracks
            if not track.gone or seconds - track.last_detected <= KEEP_NUMBER + TIME_TOLERANCE
        ]

    def _is_gone(self, track: Track, seconds: float) -> bool:
        """Return whether a face that the search missed counts as gone."""
        missed = seconds - track.last_detected > self._max_missed(track) + TIME_TOLERANCE
        return missed or track.lost or self._is_hidden(track)

    def _is_hidden(self, track: Track) -> bool:
        """Return whether the search found another face in the place of one that it missed."""
        others = (other for other in self.tracks if other.detected)
        return any(box_distance(track.box, other.box) < DUPLICATE_DISTANCE for other in others)

    def _max_missed(self, track: Track) -> float:
        """Return for how many seconds searches may miss a face: as long as it was there, up to MAX_MISSED."""
        return min(MAX_MISSED, track.last_detected - track.first_detected) if self._half_life else -1


def smoothing_weight(elapsed: float, half_life: float) -> float:
    """Return the weight of a value that comes `elapsed` seconds after the last one, 0 to 1.

    It is a half after `half_life` seconds. With a half-life of 0 only the new value counts.
    """
    return 1.0 if half_life == 0 else 1 - 0.5 ** (max(0.0, elapsed) / half_life)


def box_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return how far two boxes (x, y, width, height) are apart, 0 for equal ones.

    It is the distance of their centers as a share of their mean side, plus the base-2 logarithm of the ratio of their
    sides.
    """
    sides = [math.sqrt(box[2] * box[3]) for box in (one, other)]
    centers = [_center(box) for box in (one, other)]
    apart = float(np.linalg.norm(centers[0] - centers[1])) / (sum(sides) / 2)
    return apart + abs(math.log2(sides[0] / sides[1]))


def match_boxes(expected: Sequence[np.ndarray], detected: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """Return which box of `detected` belongs to which of `expected`, as pairs of indices; the closest first."""
    return match_nearest([[box_distance(one, other) for other in detected] for one in expected], MAX_DISTANCE)


def match_nearest(distances: Sequence[Sequence[float]], most: float) -> list[tuple[int, int]]:
    """Return pairs of a row and a column of `distances` below `most`, the closest first, each at most once."""
    pairs = sorted(
        (apart, row, column)
        for row, aparts in enumerate(distances)
        for column, apart in enumerate(aparts)
        if apart < most
    )
    matched: list[tuple[int, int]] = []
    for _, row, column in pairs:
        if all(row != one and column != other for one, other in matched):
            matched.append((row, column))
    return matched


def to_box_array(detection: Detection, *, leveled: bool = True) -> np.ndarray:
    """Return a detection as `Track.box` holds it, float64 (5,); the tilt is unknown if it was not `leveled`."""
    return np.array([*detection.box, detection.tilt if leveled else np.nan], dtype=np.float64)


def _to_detection(array: np.ndarray) -> Detection:
    x, y, width, height = (round(float(value)) for value in array[:4])
    return Detection(Box(x, y, max(1, width), max(1, height)), float(np.nan_to_num(array[4])))


def _center(box: np.ndarray) -> np.ndarray:
    center: np.ndarray = box[:2] + box[2:4] / 2
    return center
