"""Numbers of faces in videos of two people who cross, hide, leave and come back.

    python -m benchmarks.identities --photos ../shared/data/photos --wild ../shared/data/faces_wild.tar

The videos are those of `benchmarks.crossing_videos`. Each is tracked as `emotion video` tracks it, with several
detectors and times between searches. The emotions play no part, so no model is needed.

A person is right in a frame where its face has the number that it got first, and no other person had that number
before. These are counted:

- right: the share of the frames with a visible face in which the person is right;
- missed: the share of them in which no box is at the face;
- switches: how often a person's number changed;
- exchanges: how often a person got a number that another person had before;
- false: the share of the boxes that are at no face, visible or not.

Besides, it measures how much the boxes of still faces vary, and whether a light descriptor tells people who return
(`benchmarks.returning_people`). results/identities.json gets the figures.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.crossing_videos import (
    Place,
    Video,
    make_videos,
    read_backgrounds,
    read_people,
    still_frames,
)
from benchmarks.returning_people import measure_returning_people
from emotion.core.errors import run_command
from emotion.core.files import write_json
from emotion.faces.detection import Box, Detection
from emotion.faces.detectors import make_detector
from emotion.inference.box_tracking import box_distance, match_boxes, to_box_array
from emotion.inference.predictor import Face
from emotion.inference.tracking import FaceTracker, TrackedFace

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "results/identities.json"

RATES = 30, 10
"""Frames a second of the videos."""

SMALLEST = 40
"""Smallest face to search for, in pixels, the default."""


class Way(NamedTuple):
    """A detector, and the seconds from one search to the next."""

    detector: str
    search_every: float

    def __str__(self) -> str:
        return f"{self.detector}, search {f'every {self.search_every:g} s' if self.search_every else 'in each frame'}"


WAYS = (Way("cascade", 0.15), Way("yunet", 0.15), Way("yunet", 0.0))


class FaceFinder:
    """A predictor that finds faces. It knows one emotion, so it needs no model."""

    def __init__(self, detector: str) -> None:
        self.detect = make_detector(detector, SMALLEST).detect

    def crop(self, _image: np.ndarray, _detection: Detection) -> np.ndarray:
        """Return nothing to classify."""
        return np.empty(0)

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        """Return that the one emotion is certain."""
        return np.ones((len(crops), 1))

    def make_faces(self, detections: Sequence[Detection], probabilities: np.ndarray) -> list[Face]:
        """Return the faces."""
        return [Face(one.box, row, "any", 1.0) for one, row in zip(detections, probabilities, strict=True)]


@dataclass
class Counts:
    """Counts of frames in which a person is visible, and of what happened in them."""

    visible: int = 0
    right: int = 0
    missed: int = 0
    switches: int = 0
    exchanges: int = 0
    boxes: int = 0
    false: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(one + two for one, two in zip(asdict(self).values(), asdict(other).values(), strict=True)))

    def summary(self) -> dict[str, float]:
        """Return the shares and numbers that the result file holds."""
        return {
            "right": self.right / self.visible,
            "missed": self.missed / self.visible,
            "switches": self.switches,
            "exchanges": self.exchanges,
            "false": self.false / max(1, self.boxes),
        }


@dataclass
class Score:
    """Follows two people through a video, and counts what happens to their numbers."""

    counts: Counts = field(default_factory=Counts)
    owners: dict[int, int] = field(default_factory=dict)
    first: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)

    def add(self, places: Sequence[Place | None], tracked_faces: Sequence[TrackedFace]) -> None:
        """Count a frame."""
        people = [person for person, place in enumerate(places) if place is not None]
        truth = [_face_square(place) for place in places if place is not None]
        boxes = [to_box_array(Detection(tracked.face.box)) for tracked in tracked_faces]
        pairs = dict(match_boxes(truth, boxes))
        self.counts.boxes += len(boxes)
        self.counts.false += sum(all(box_distance(box, one) > 1 for one in truth) for box in boxes)
        for index, person in enumerate(people):
            place = places[person]
            if place is not None and place.visible:
                box = pairs.get(index)
                self._count(person, None if box is None else tracked_faces[box].number)

    def _count(self, person: int, number: int | None) -> None:
        self.counts.visible += 1
        if number is None:
            self.counts.missed += 1
            return
        owner = self.owners.setdefault(number, person)
        first = self.first.setdefault(person, number)
        self.counts.right += owner == person and number == first
        if self.last.get(person, number) != number:
            self.counts.switches += 1
            self.counts.exchanges += owner != person
        self.last[person] = number


def _face_square(place: Place) -> np.ndarray:
    return np.array([place.x - place.side / 2, place.y - place.side / 2, place.side, place.side])


def count_switches(videos: Iterable[Video], ways: Sequence[Way]) -> dict[str, dict[str, Counts]]:
    """Return the counts of each way, by scene and frame rate and in `all`."""
    counts: dict[str, dict[str, Counts]] = {str(way): defaultdict(Counts) for way in ways}
    for video in videos:
        frames = list(video)
        for way in ways:
            score = score_tracking(frames, way)
            for key in ("all", f"{video.name}, {video.rate} frames a second"):
                counts[str(way)][key] += score.counts
    return counts


def score_tracking(frames: Sequence[tuple[float, np.ndarray, list[Place | None]]], way: Way) -> Score:
    """Return the score of one way on the frames of one video."""
    tracker, score = FaceTracker(FaceFinder(way.detector), search_every=way.search_every), Score()
    for seconds, image, places in frames:
        score.add(places, tracker.update(image, seconds))
    return score


def measure_steadiness(photos: Path, ways: Sequence[Way], *, people: int, seed: int) -> dict[str, dict[str, float]]:
    """Return by how much boxes of faces that do not move vary, in percent of their side.

    `detected` is that of single searches, `tracked` that of tracking with its smoothing. Each is the mean of the
    standard deviations of center and size over the frames of one second, from the second one on.
    """
    persons, background = read_people(photos)[:people], read_backgrounds(photos)[0]
    videos = [list(still_frames(person, background, 100, frames=60, seed=seed)) for person in persons]
    return {
        str(way): {
            "detected": _mean_variation(_detected_boxes(video, way) for video in videos),
            "tracked": _mean_variation(_tracked_boxes(video, way) for video in videos),
        }
        for way in ways
    }


def _detected_boxes(video: Sequence[np.ndarray], way: Way) -> list[Box]:
    return [found[0].box for image in video[30:] if (found := FaceFinder(way.detector).detect(image))]


def _tracked_boxes(video: Sequence[np.ndarray], way: Way) -> list[Box]:
    tracker = FaceTracker(FaceFinder(way.detector), search_every=way.search_every)
    tracked = [tracker.update(image, number / 30) for number, image in enumerate(video)]
    return [faces[0].face.box for faces in tracked[30:] if faces]


def _mean_variation(videos: Iterable[list[Box]]) -> float:
    variations = []
    for boxes in videos:
        x, y, width, height = np.array(boxes, dtype=float).T
        variations.append(np.std([x + width / 2, y + height / 2, width], axis=1).mean() / width.mean())
    return 100 * float(np.mean(variations))


def compare(options: argparse.Namespace) -> None:
    """Measure what `options` name, write the result file and print it."""
    cv2.setNumThreads(1)
    videos = make_videos(options.photos, rates=RATES, pairs=options.pairs, seed=options.seed)
    counts = count_switches(tqdm(videos, disable=None, unit="video"), WAYS)
    result = {
        "pairs": options.pairs,
        "seed": options.seed,
        "numbers": {way: {key: one.summary() for key, one in scenes.items()} for way, scenes in counts.items()},
        "steadiness": measure_steadiness(options.photos, WAYS, people=4, seed=options.seed),
        "returning": measure_returning_people(options.photos, options.wild, seed=options.seed),
    }
    write_json(options.output, result)
    show(result)


def show(result: dict[str, Any]) -> None:
    """Print what was measured."""
    for way, scenes in result["numbers"].items():
        print(f"\n{way}")
        for scene, one in scenes.items():
            print(
                f"  {scene:42} right {one['right']:6.1%}, missed {one['missed']:5.1%}, {one['switches']} switches, "
                f"{one['exchanges']} exchanges, false {one['false']:.1%}"
            )
    print("\nvariation of boxes of still faces, in percent of their side: single searches, tracked")
    for way, one in result["steadiness"].items():
        print(f"  {way:32} {one['detected']:.2f} {one['tracked']:.2f}")
    print("\nrecall of people who return, at 1 % false matches")
    for kind, descriptors in result["returning"].items():
        for name, one in descriptors.items():
            print(f"  {kind:12} {name:28} {one['recall']:.1%}")


def main() -> None:
    """Run the measurement that the command line asks for."""
    options = _parser().parse_args()
    run_command(lambda: compare(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos with truth.json")
    parser.add_argument("--wild", type=Path, required=True, help="faces_wild.tar, for people who return")
    parser.add_argument("--pairs", type=int, default=2, help="pairs of people for each scene (2)")
    parser.add_argument("--seed", type=int, default=11, help="of pairs, sizes, light and noise (11)")
    parser.add_argument("--output", type=Path, default=RESULT, help="the result file")
    return parser


if __name__ == "__main__":
    main()
