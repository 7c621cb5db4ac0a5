"""Faces from frame to frame: who is who, boxes that go with the motion, and probabilities that do not flicker.

    follower = FaceTracker(Predictor("models/model.tflite"))
    for image, seconds in frames:
        for sighting in follower.look(image, seconds):
            print(sighting.number, sighting.face.emotion)

A search for faces takes many times as long as all the rest, so there is one every SEARCH_EVERY seconds; between them
boxes go with the motion of the image inside them (`emotion.inference.motion`). What one search finds and the next
does not was no face: after the first search, a face counts once two have found it. A face that searches miss is carried
on for as long as it was there, up to BRIDGE seconds.

Boxes and probabilities are smoothed exponentially, in seconds, so that the frame rate does not matter: `half_life`
seconds after a step, half of it shows. Boxes are smoothed on top of their motion, so they do not lag behind a face.

The same frames give the same answers: nothing here looks at the clock.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from emotion.faces.detection import Box, Detection
from emotion.inference.motion import View, propagate
from emotion.inference.predictor import Face

SEARCH_EVERY = 0.15
"""Seconds from one search for faces to the next."""

HALF_LIFE = 0.25
"""Seconds in which half of a change shows in boxes and probabilities."""

BRIDGE = 0.5
"""Seconds, at most, for which a face that searches miss is carried on: detectors lose faces for a frame or two."""

KEEP = 2.0
"""Seconds, from when it was last found, for which a face that is gone keeps its number should it come back."""

FARTHEST = 0.75
"""How far by `distance` a face may be found from where it is expected."""

DOUBLE = 0.4
"""How far apart two boxes are that show one face: of those, the one that searches no longer find goes."""

TOLERANCE = 1e-6
"""Seconds by which times may differ and count as equal."""


class FaceReader(Protocol):
    """What following needs of a predictor; `emotion.inference.predictor.Predictor` has it."""

    def detect(self, image: np.ndarray) -> list[Detection]: ...

    def crop(self, image: np.ndarray, found: Detection) -> np.ndarray: ...

    def probabilities(self, crops: np.ndarray) -> np.ndarray: ...

    def make_faces(self, found: Sequence[Detection], probabilities: np.ndarray) -> list[Face]: ...


class TrackedFace(NamedTuple):
    """A face in a frame: its number in the video, from 1; and whether a search found it here, or it was carried on."""

    number: int
    face: Face
    detected: bool


class FaceTracker:
    """Reads the faces of a video, frame by frame.

    Args:
        predictor: finds and reads faces.
        search_every: seconds from one search for faces to the next; 0 searches in every frame. There is one besides
            wherever a face gets lost.
        read_every: the model reads the faces in every so-many-th frame; between, they keep what it said. New faces are
            read at once.
        half_life: seconds in which half of a change shows in boxes and probabilities. With 0 nothing is smoothed, and
            faces come and go with every search; with `search_every` 0 too, each frame is read as an image would be.
    """

    def __init__(
        self,
        predictor: FaceReader,
        *,
        search_every: float = SEARCH_EVERY,
        read_every: int = 1,
        half_life: float = HALF_LIFE,
    ) -> None:
        self._predictor = predictor
        self._search_every = search_every
        self._read_every = read_every
        self._tracker = Tracker(half_life)
        self._view: View | None = None
        self._searched = -math.inf
        self._frame = -1

    def update(self, image: np.ndarray, seconds: float) -> list[TrackedFace]:
        """Return the faces in the next frame, by number.

        Args:
            image: uint8 (height, width, 1 or 3).
            seconds: the frame's time; it does not go back.
        """
        self.propagate(image)
        if self.is_due(seconds):
            self.set_detections(self._predictor.detect(image), seconds)
        return self.read(image, seconds)

    def is_due(self, seconds: float) -> bool:
        """Return whether to search in the frame of this time: it has been long, or faces are tentative."""
        wait = min(self._search_every, SEARCH_EVERY) if self._tracker.has_tentative else self._search_every
        return self._tracker.lost or seconds - self._searched >= wait - TOLERANCE

    def propagate(self, image: np.ndarray) -> View:
        """Go to the next frame, `image`, and move all faces there. Return the frame's view, for `set_detections`."""
        before, self._view = self._view, View.of(image)
        if before is not None:
            self._tracker.propagate(before, self._view)
        self._frame += 1
        return self._view

    def set_detections(self, detections: Sequence[Detection], seconds: float, *, view: View | None = None) -> None:
        """Take in what a search found in the frame of the time `seconds`; with its `view` if that is an earlier one."""
        places = [_to_place(face) for face in detections]
        if view is not None and self._view is not None:
            places = [place for place in propagate(view, self._view, places) if place is not None]
        self._tracker.observe(places, seconds)
        self._searched = seconds

    def read(self, image: np.ndarray, seconds: float) -> list[TrackedFace]:
        """Return the faces in this frame, by number, after the model has read those that are due."""
        tracks = self._tracker.visible
        due = self._frame % self._read_every == 0
        unread = [track for track in tracks if due or track.probabilities is None]
        if unread:
            crops = np.stack([self._predictor.crop(image, track.found) for track in unread])
            self._tracker.update_scores(unread, self._predictor.probabilities(crops), seconds)
        said = np.array([track.probabilities for track in tracks])
        faces = self._predictor.make_faces([track.found for track in tracks], said) if tracks else []
        return [TrackedFace(track.number, face, track.detected) for track, face in zip(tracks, faces, strict=True)]


@dataclass
class Track:
    """One face.

    Attributes:
        place: float64 (4,), its box; or (8,), with both eyes after it.
        first: when a search found it first.
        seen: when one found it last.
        number: from 1, in the order of appearance; 0 until it counts as a face.
        detected: whether a search found it in this frame.
        gone: whether it left the image, and only its number is kept.
        lost: whether its motion could not be followed since a search found it last.
        probabilities: float64 (classes,), smoothed, before the temperature; None until the model has read it.
        told: when the model read it last.
    """

    place: np.ndarray
    first: float
    seen: float
    number: int = 0
    detected: bool = True
    gone: bool = False
    lost: bool = False
    probabilities: np.ndarray | None = None
    told: float = 0.0

    @property
    def found(self) -> Detection:
        """Where it is, in whole pixels."""
        return _to_found(self.place)


class Tracker:
    """Knows which face of a frame is which of the frames before.

    Args:
        half_life: seconds in which half of a change shows in boxes and probabilities; 0 for no smoothing, and for
            faces that come and go with every search.
    """

    def __init__(self, half_life: float = HALF_LIFE) -> None:
        self._half_life = half_life
        self._count = 0
        self._began = False
        self.tracks: list[Track] = []
        """Faces, those that are gone and keep their number for a while, and what a search found once so far."""

    @property
    def visible(self) -> list[Track]:
        """The faces in the image, by number."""
        shown = [track for track in self.tracks if track.number and not track.gone]
        return sorted(shown, key=lambda track: track.number)

    @property
    def lost(self) -> bool:
        """Whether the motion of a face in the image could not be followed to this frame."""
        return any(track.lost and track.number and not track.gone for track in self.tracks)

    @property
    def has_tentative(self) -> bool:
        """Whether a search found something that another one has yet to confirm."""
        return any(not track.number for track in self.tracks)

    def propagate(self, before: View, now: View) -> None:
        """Move the faces from one frame to the next; those that are lost stay where they were last."""
        self._forget_search()
        tracks = [track for track in self.tracks if not (track.gone or track.lost)]
        for track, place in zip(tracks, propagate(before, now, [track.place for track in tracks]), strict=True):
            track.lost = place is None
            track.place = track.place if place is None else place

    def observe(self, places: Sequence[np.ndarray], seconds: float) -> None:
        """Take in where a search found faces: it gives known ones a new place, and new ones a number."""
        self._forget_search()
        left = dict(enumerate(places))
        # Faces in the image first: one that is gone does not take the place of one that is there.
        for gone in (False, True):
            tracks = [track for track in self.tracks if track.gone == gone]
            keys = list(left)
            for known, position in match([track.place for track in tracks], [left[key] for key in keys]):
                self._see(tracks[known], left.pop(keys[position]), seconds)
        for place in left.values():
            track = Track(place, seconds, seconds)
            self.tracks.append(track)
            # The first search has none before it that could have seen the same.
            if not self._began or self._half_life == 0:
                self._count_in(track)
        self._began = True
        self._drop(seconds)

    def update_scores(self, tracks: Sequence[Track], probabilities: np.ndarray, seconds: float) -> None:
        """Take in what the model says of some faces, (n, classes)."""
        for track, said in zip(tracks, probabilities, strict=True):
            if track.probabilities is None:
                track.probabilities = said
            weight = new_share(seconds - track.told, self._half_life)
            track.probabilities = track.probabilities + weight * (said - track.probabilities)
            track.told = seconds

    def _forget_search(self) -> None:
        for track in self.tracks:
            track.detected = False

    def _see(self, track: Track, place: np.ndarray, seconds: float) -> None:
        # A face that was gone is not where it was: nothing is left to smooth.
        fresh = track.gone or track.lost or len(place) != len(track.place)
        weight = 1.0 if fresh else new_share(seconds - track.seen, self._half_life)
        track.place = place if weight == 1 else track.place + weight * (place - track.place)
        track.first = seconds if track.gone else track.first
        track.seen, track.detected, track.gone, track.lost = seconds, True, False, False
        if not track.number:
            self._count_in(track)

    def _count_in(self, track: Track) -> None:
        self._count += 1
        track.number = self._count

    def _drop(self, seconds: float) -> None:
        """Hide faces that are gone; forget those gone for long, doubles of others, and what was found but once."""
        detected = [track for track in self.tracks if track.detected]
        kept = []
        for track in self.tracks:
            if not track.detected and not track.gone:
                double = any(distance(track.place, other.place) < DOUBLE for other in detected)
                if double or not track.number:
                    continue
                track.gone = track.lost or seconds - track.seen > self._patience(track) + TOLERANCE
            if not track.gone or seconds - track.seen <= KEEP + TOLERANCE:
                kept.append(track)
        self.tracks = kept

    def _patience(self, track: Track) -> float:
        """Return for how long searches may miss a face: as long as it was there, up to BRIDGE."""
        return min(BRIDGE, track.seen - track.first) if self._half_life else -1


def new_share(elapsed: float, half_life: float) -> float:
    """Return how much of a value `elapsed` seconds after the last counts, 0 to 1, when half counts after `half_life`.

    A half-life of 0 counts nothing but the new value.
    """
    return 1.0 if half_life == 0 else 1 - 0.5 ** (max(0.0, elapsed) / half_life)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return how far two boxes (x, y, width, height) are apart, 0 for equal ones.

    It is the distance of their centers as a share of their side, plus how often the side of one doubles to the other's.
    """
    sides = [math.sqrt(box[2] * box[3]) for box in (one, other)]
    centers = [box[:2] + box[2:4] / 2 for box in (one, other)]
    apart = float(np.linalg.norm(centers[0] - centers[1])) / (sum(sides) / 2)
    return apart + abs(math.log2(sides[0] / sides[1]))


def match(expected: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """Return which of the boxes `found` is which of those `expected`, as pairs of positions; the closest first."""
    pairs = sorted(
        (apart, first, second)
        for first, one in enumerate(expected)
        for second, other in enumerate(found)
        if (apart := distance(one, other)) < FARTHEST
    )
    matched: list[tuple[int, int]] = []
    for _, first, second in pairs:
        if all(first != one and second != other for one, other in matched):
            matched.append((first, second))
    return matched


def _to_place(found: Detection) -> np.ndarray:
    return np.array([*found.box, *np.ravel(found.eyes or ())], dtype=np.float64)


def _to_found(place: np.ndarray) -> Detection:
    x, y, width, height = (round(float(value)) for value in place[:4])
    box = Box(x, y, max(1, width), max(1, height))
    if len(place) == 4:
        return Detection(box)
    left, right = place[4:6].tolist(), place[6:8].tolist()
    return Detection(box, ((left[0], left[1]), (right[0], right[1])))
