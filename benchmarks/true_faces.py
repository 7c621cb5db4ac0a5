"""The faces that photos show, from a file `truth.json` beside them, and the score of a detector against them.

The file is a list. Each photo has `file`, `faces` and `ignore`. A face has `box` (x, y, width, height in pixels, from
hairline to chin) and `pose` (`frontal`, `tilted` or `profile`). It has the flags `small`, `dark`, `occluded` and
`dark_skin`, too. `ignore` lists boxes of regions whose faces were not labeled.

A found box is a hit of a face where their squares have an intersection over union of at least 0.4. It is one, too,
where its center lies in the face's box and its side differs by less than a factor of two. A face has one hit. Any other
found box is a false alarm, unless it is small or in an ignored region.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from emotion.core.errors import InputError
from emotion.data.images import read_image
from emotion.faces.detection import RawDetection

TRUTH_FILE = "truth.json"

LEAST_OVERLAP = 0.4
"""The smallest intersection over union of the squares of a hit."""

MOST_FACTOR = 2.0
"""The largest factor between the sides of a hit with its center in the face's box."""

FLAGS = ("occluded", "dark", "dark_skin", "small")

KINDS = ("frontal", "tilted", "profile", *FLAGS)
"""The groups of faces that are counted apart. A face may be in several."""


class TrueBox(NamedTuple):
    """A box in a photo, in pixels; `x` and `y` are its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def side(self) -> float:
        """The mean of width and height."""
        return (self.width + self.height) / 2

    @property
    def center(self) -> tuple[float, float]:
        """The center of the box, as x and y."""
        return self.x + self.width / 2, self.y + self.height / 2

    def enlarge(self, factor: float) -> Self:
        """Return the same box in an image that is `factor` times as large."""
        return self._replace(**{name: factor * value for name, value in self._asdict().items()})


class TrueFace(NamedTuple):
    """A face that a photo shows, with the KINDS that it belongs to."""

    box: TrueBox
    kinds: frozenset[str]


class TruePhoto(NamedTuple):
    """A photo with its faces.

    Attributes:
        name: of its file.
        image: uint8 (height, width, 1 or 3).
        faces: its labeled faces.
        ignored: the boxes of regions in which a found box counts neither way.
    """

    name: str
    image: np.ndarray
    faces: tuple[TrueFace, ...]
    ignored: tuple[TrueBox, ...]


class PhotoScore(NamedTuple):
    """A detector's result on one photo.

    Attributes:
        found: whether each face of the photo was found.
        false_alarms: the found boxes that count and hit no face.
    """

    found: tuple[bool, ...]
    false_alarms: tuple[TrueBox, ...]


def read_photos(folder: Path) -> list[TruePhoto]:
    """Return the photos that the truth.json of a folder lists.

    Raises:
        InputError: the file or a photo is missing, or the file has another format.
    """
    path = folder / TRUTH_FILE
    if not path.is_file():
        raise InputError(f"{path} is missing; --photos must name a folder of photos with their faces in {TRUTH_FILE}")
    try:
        return [_to_photo(folder, row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise InputError(
            f"{path}: {error!r}; it must be a list, each photo with file, faces and ignore, each face with box and pose"
        ) from None


def _to_photo(folder: Path, row: dict[str, Any]) -> TruePhoto:
    faces = tuple(
        TrueFace(TrueBox(*face["box"]), frozenset({face["pose"], *(flag for flag in FLAGS if face.get(flag))}))
        for face in row["faces"]
    )
    ignored = tuple(TrueBox(*box) for box in row["ignore"])
    return TruePhoto(row["file"], read_image(folder / row["file"]), faces, ignored)


def to_box(raw: RawDetection) -> TrueBox:
    """Return the box of a detection."""
    return TrueBox(raw.x, raw.y, raw.width, raw.height)


def score_photo(photo: TruePhoto, boxes: Sequence[TrueBox], smallest: float) -> PhotoScore:
    """Return which faces of a photo the found boxes hit, and the false alarms among the boxes.

    Args:
        photo: the photo, or one scaled like it.
        boxes: as found.
        smallest: pixels of the side below which a found box without a face counts neither way.
    """
    pairs = match_boxes(boxes, [face.box for face in photo.faces])
    used = {place for place, _ in pairs}
    hit = {place for _, place in pairs}
    others = [box for place, box in enumerate(boxes) if place not in used and box.side >= smallest]
    false_alarms = tuple(box for box in others if not any(_contains(region, box) for region in photo.ignored))
    return PhotoScore(tuple(place in hit for place in range(len(photo.faces))), false_alarms)


def match_boxes(boxes: Sequence[TrueBox], faces: Sequence[TrueBox]) -> list[tuple[int, int]]:
    """Return the places of boxes and faces that belong together, each at most once; larger overlaps come first."""
    candidates = [
        (overlap(box, face), number, place)
        for number, box in enumerate(boxes)
        for place, face in enumerate(faces)
        if is_hit(box, face)
    ]
    pairs: list[tuple[int, int]] = []
    for _, number, place in sorted(candidates, key=lambda candidate: (-candidate[0], *candidate[1:])):
        if all(number != other and place != taken for other, taken in pairs):
            pairs.append((number, place))
    return pairs


def is_hit(box: TrueBox, face: TrueBox) -> bool:
    """Return whether a found box shows a face; see above."""
    near = 1 / MOST_FACTOR <= box.side / face.side <= MOST_FACTOR
    return overlap(box, face) >= LEAST_OVERLAP or (near and _contains(face, box))


def overlap(one: TrueBox, other: TrueBox) -> float:
    """Return the intersection over union of the squares about the centers of two boxes, 0 to 1."""
    sides = [
        min(a + one.side / 2, b + other.side / 2) - max(a - one.side / 2, b - other.side / 2)
        for a, b in zip(one.center, other.center, strict=True)
    ]
    shared = max(0.0, sides[0]) * max(0.0, sides[1])
    return shared / (one.side**2 + other.side**2 - shared)


def _contains(region: TrueBox, box: TrueBox) -> bool:
    x, y = box.center
    return region.x <= x <= region.x + region.width and region.y <= y <= region.y + region.height


def summarize(photos: Sequence[TruePhoto], scores: Sequence[PhotoScore]) -> dict[str, Any]:
    """Return the figures of a detector on some photos: shares from 0 to 1, and counts."""
    faces = sum(len(photo.faces) for photo in photos)
    found = sum(sum(score.found) for score in scores)
    false_alarms = sum(len(score.false_alarms) for score in scores)
    with_faces = [score for score in scores if score.found]
    return {
        "faces": faces,
        "found": found,
        "false_alarms": false_alarms,
        "recall": share(found, faces),
        "precision": share(found, found + false_alarms),
        "photos_all_right": share(sum(all(score.found) and not score.false_alarms for score in scores), len(photos)),
        "photos_without_faces": len(photos) - len(with_faces),
        "false_alarms_without_faces": sum(len(score.false_alarms) for score in scores if not score.found),
        "photos_with_faces": len(with_faces),
        "photos_with_a_reading": share(sum(any(score.found) for score in with_faces), len(with_faces)),
        "by_kind": {kind: _count_kind(photos, scores, kind) for kind in KINDS},
    }


def _count_kind(photos: Iterable[TruePhoto], scores: Iterable[PhotoScore], kind: str) -> dict[str, int]:
    found = [
        hit
        for photo, score in zip(photos, scores, strict=True)
        for face, hit in zip(photo.faces, score.found, strict=True)
        if kind in face.kinds
    ]
    return {"faces": len(found), "found": sum(found)}


def share(part: int, whole: int) -> float | None:
    """Return a share, 0 to 1; None where there is nothing to count."""
    return part / whole if whole else None
