"""Videos of two people who cross, made from portraits. The true place of each face is known.

A person is a portrait with its background masked away. It moves over a photo without faces. The camera shakes, its
light changes, and each pixel has noise.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

import cv2
import numpy as np

from emotion.core.errors import InputError
from emotion.data.images import read_image

SIZE = 480, 640
"""Height and width of the frames in pixels."""

FACE_SIDE = 100
"""Pixels of the face in a person's cut-out."""

ROOM = {"left": 0.2, "top": 0.25}
"""Least room beside and above a face in a portrait, as shares of its width and height."""

NARROWEST = 80
"""Least width of a face in a portrait, in pixels."""

HEAD = (0.62, 0.85)
"""Half the width and height of a head with its hair, as shares of the face's side."""

SHOULDERS = (1.35, 1.15)
"""The same for the ellipse of the shoulders, whose center is SHOULDERS_DOWN below the face's."""

SHOULDERS_DOWN = 1.75

SHAKE, NOISE = 1.2, 4.0
"""Standard deviations of the camera's place in pixels, and of the noise in levels of 0 to 255."""

NOISE_SHIFTS = 64
"""Shifts of the noise in each direction. It is drawn once, since that takes longer than the rest of a frame."""

HIDDEN = 0.4
"""Share of a face that another person may cover while it still counts as visible."""

SAMPLES = 15
"""Points per side of a face that are looked up to measure how much of it is covered."""

Path2D = Callable[[float], tuple[float, float] | None]
"""The place of a face's center at a time, as shares of the frame's width and height; None while it is away."""


@dataclass(frozen=True)
class Person:
    """The cut-out of a portrait.

    Attributes:
        name: the portrait's file.
        image: float32 (height, width, 3), with the face FACE_SIDE pixels large.
        alpha: float32 (height, width, 1), 1 where the person is and 0 where there is background.
        center: x and y of the face's center in `image`.
    """

    name: str
    image: np.ndarray
    alpha: np.ndarray
    center: tuple[float, float]

    @classmethod
    def cut(cls, name: str, photo: np.ndarray, box: Sequence[float]) -> Self:
        """Return the person whose face is at `box`, (x, y, width, height) in pixels of `photo`."""
        x, y, width, height = box
        scale = FACE_SIDE / ((width + height) / 2)
        left, top, right, bottom = (round(FACE_SIDE * share) for share in (1.5, 1.0, 1.5, 2.4))
        start = np.array([x + width / 2, y + height / 2]) * scale - (left, top)
        move = np.array([[scale, 0, -start[0]], [0, scale, -start[1]]])
        shrunk = cv2.GaussianBlur(photo, (0, 0), max(0.01, 0.4 / scale)) if scale < 1 else photo
        size = left + right, top + bottom
        image = cv2.warpAffine(shrunk, move, size, flags=cv2.INTER_LINEAR)
        inside = cv2.warpAffine(np.ones(photo.shape[:2], np.float32), move, size)
        shape = _person_shape(size, (left, top)) * (inside > 0.99)
        alpha = cv2.GaussianBlur(shape.astype(np.float32), (0, 0), 3)
        return cls(name, image.astype(np.float32), alpha[:, :, None], (left, top))


class Place(NamedTuple):
    """A true face in a frame: its center and side in pixels, and whether enough of it is visible."""

    x: float
    y: float
    side: float
    visible: bool


@dataclass(frozen=True)
class Video:
    """A video of two people over a photo.

    Attributes:
        name: of the scene.
        people: the one that passes behind comes first.
        sides: pixels of their faces.
        paths: where they are.
        background: float32 (height, width, 3).
        seconds: length.
        rate: frames a second.
        seed: of shake, light and noise.
    """

    name: str
    people: tuple[Person, Person]
    sides: tuple[float, float]
    paths: tuple[Path2D, Path2D]
    background: np.ndarray
    seconds: float
    rate: int
    seed: int

    def __iter__(self) -> Iterator[tuple[float, np.ndarray, list[Place | None]]]:
        """Yield time, frame, uint8 (height, width, 3), and the place of each person."""
        rng = np.random.default_rng(self.seed)
        height, width = SIZE
        noise = rng.normal(0, NOISE, (height + NOISE_SHIFTS, width + NOISE_SHIFTS, 3)).astype(np.float32)
        for number in range(round(self.seconds * self.rate)):
            time = number / self.rate
            shift = rng.normal(0, SHAKE, 2)
            frame, centers = self.background.copy(), self._centers(time, shift)
            for person, side, center in zip(self.people, self.sides, centers, strict=True):
                if center is not None:
                    _paste(frame, person, side, center)
            frame *= 0.9 + 0.2 * np.sin(1.3 * time + self.seed)
            down, right = rng.integers(NOISE_SHIFTS, size=2)
            frame += noise[down : down + height, right : right + width]
            yield time, np.clip(frame, 0, 255).astype(np.uint8), self.places(time, shift)

    @cached_property
    def _phases(self) -> np.ndarray:
        phases: np.ndarray = np.random.default_rng(self.seed + 1).uniform(0, 2 * np.pi, 2)
        return phases

    def _centers(self, time: float, shift: np.ndarray) -> list[np.ndarray | None]:
        height, width = SIZE
        centers: list[np.ndarray | None] = []
        for path, side, phase in zip(self.paths, self.sides, self._phases, strict=True):
            place = path(time)
            step = 0.03 * side * np.sin(2 * np.pi * 1.8 * time + phase)
            centers.append(None if place is None else np.array([place[0] * width, place[1] * height + step]) + shift)
        return centers

    def places(self, time: float, shift: np.ndarray) -> list[Place | None]:
        """Return the place of each person at a time, in a camera that shook by `shift` (x, y)."""
        centers = self._centers(time, shift)
        behind, front = centers
        hidden = _covered(behind, self.sides[0], front, self.sides[1]) if behind is not None else 0.0
        shares = (hidden, 0.0)
        return [
            None
            if center is None
            else Place(float(center[0]), float(center[1]), side, _in_frame(center) and share <= HIDDEN)
            for center, side, share in zip(centers, self.sides, shares, strict=True)
        ]


def read_people(photos: Path) -> list[Person]:
    """Return the people of the clear portraits in a folder with photos and their truth.json.

    Raises:
        InputError: the folder has no truth.json, or fewer than two such portraits.
    """
    people = [
        Person.cut(entry["file"], read_image(photos / entry["file"]), entry["faces"][0]["box"])
        for entry in read_truth(photos)
        if len(entry["faces"]) == 1 and not entry["ignore"] and _is_clear(entry)
    ]
    if len(people) < 2:
        raise InputError(f"{photos}: got {len(people)} clear portraits, expected at least 2")
    return people


def read_backgrounds(photos: Path) -> list[np.ndarray]:
    """Return the photos in color without a face, float32 (480, 640, 3) each, dimmed so that people stand out."""
    files = [photos / entry["file"] for entry in read_truth(photos) if not entry["faces"] and not entry["ignore"]]
    height, width = SIZE
    photos_in_color = [image for file in files if (image := read_image(file)).shape[2] == 3]
    return [0.7 * cv2.resize(image, (width, height)).astype(np.float32) for image in photos_in_color]


def read_truth(photos: Path) -> list[dict[str, Any]]:
    """Return the entries of truth.json in a folder of photos.

    Raises:
        InputError: there is none.
    """
    path = photos / "truth.json"
    if not path.is_file():
        raise InputError(f"{path} is missing; --photos names a folder of photos with their truth.json")
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return entries


def _is_clear(entry: dict[str, Any]) -> bool:
    """Return whether the face of a portrait is frontal, bright, uncovered, and has room around it."""
    [face] = entry["faces"]
    x, y, width, height = face["box"]
    beside, above = ROOM["left"] * width, ROOM["top"] * height
    room = x >= beside and x + width + beside <= entry["width"] and y >= above
    return face["pose"] == "frontal" and not face["occluded"] and not face["dark"] and width >= NARROWEST and room


def _person_shape(size: tuple[int, int], center: tuple[int, int]) -> np.ndarray:
    """Return where a person is in a cut-out of some width and height: head and shoulders, bool."""
    columns, rows = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    return _in_person(columns - center[0], rows - center[1], FACE_SIDE)


def _in_person(x: np.ndarray, y: np.ndarray, side: float) -> np.ndarray:
    """Return which points, relative to the center of a face, lie in the head or shoulders of a person, bool."""
    down = y - SHOULDERS_DOWN * side
    head = (x / (HEAD[0] * side)) ** 2 + (y / (HEAD[1] * side)) ** 2 <= 1
    shoulders = (x / (SHOULDERS[0] * side)) ** 2 + (down / (SHOULDERS[1] * side)) ** 2 <= 1
    both: np.ndarray = head | shoulders
    return both


def _paste(frame: np.ndarray, person: Person, side: float, center: np.ndarray) -> None:
    """Paint a person into a frame, float32 (height, width, 3), with a face of `side` pixels at `center`."""
    height, width = SIZE
    scale = side / FACE_SIDE
    move = np.array(
        [[scale, 0, center[0] - scale * person.center[0]], [0, scale, center[1] - scale * person.center[1]]]
    )
    corner = np.floor(center - scale * np.array(person.center)).astype(int)
    end = np.clip(corner + np.ceil(np.array(person.alpha.shape[1::-1]) * scale).astype(int) + 2, 0, (width, height))
    corner = np.clip(corner - 1, 0, end)
    move[:, 2] -= corner
    image, alpha = (cv2.warpAffine(one, move, (end - corner).tolist()) for one in (person.image, person.alpha))
    part = frame[corner[1] : end[1], corner[0] : end[0]]
    part += alpha[:, :, None] * (image - part)


def _covered(behind: np.ndarray, side: float, front: np.ndarray | None, front_side: float) -> float:
    """Return the share of a face that the person in front of it covers."""
    if front is None:
        return 0.0
    steps = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
    columns, rows = np.meshgrid(steps, steps)
    points = behind - front + side * np.stack([columns.ravel(), rows.ravel()], axis=1)
    return float(_in_person(points[:, 0], points[:, 1], front_side).mean())


def _in_frame(center: np.ndarray) -> bool:
    height, width = SIZE
    return bool(0 <= center[0] < width and 0 <= center[1] < height)


class Scene(NamedTuple):
    """Two people's way through a video.

    Attributes:
        name: of the scene.
        seconds: length.
        paths: where the one behind and the one in front are.
    """

    name: str
    seconds: float
    paths: tuple[Path2D, Path2D]


def make_scenes() -> list[Scene]:
    """Return the scenes: people who cross at several speeds, hide, turn back, and leave and return."""
    return [
        *(_crossing(seconds) for seconds in (1.5, 3.0, 5.0)),
        Scene("hidden for a second", 5.0, (_walk([(0, 0.15), (1.8, 0.5), (2.8, 0.5), (5, 0.85)]), _still(0.5))),
        Scene(
            "meet and turn back",
            4.0,
            (_walk([(0, 0.15), (2, 0.45), (4, 0.15)]), _walk([(0, 0.85), (2, 0.6), (4, 0.85)])),
        ),
        Scene("back after 1.5 s", 5.0, (_away(_walk([(0, 0.25), (5, 0.3)]), 1.5, 3.0), _walk([(0, 0.7), (5, 0.75)]))),
        Scene(
            "back elsewhere after 8 s", 12.0, (_away(_jump(0.2, 0.6, 5.0), 2.0, 10.0), _walk([(0, 0.85), (12, 0.9)]))
        ),
    ]


def _crossing(seconds: float) -> Scene:
    paths = _walk([(0, 0.1), (seconds, 0.9)]), _walk([(0, 0.9), (seconds, 0.1)])
    return Scene(f"crossing in {seconds:g} s", seconds, paths)


def _walk(stops: Sequence[tuple[float, float]]) -> Path2D:
    """Return a way through stops, each a time and a share of the frame's width."""
    times, places = zip(*stops, strict=True)
    return lambda time: (float(np.interp(time, times, places)), 0.4)


def _still(place: float) -> Path2D:
    return lambda time: (place, 0.42)


def _jump(before: float, after: float, when: float) -> Path2D:
    return lambda time: (before if time < when else after, 0.4)


def _away(path: Path2D, start: float, end: float) -> Path2D:
    """Return a path whose person is away from `start` to `end` seconds."""
    return lambda time: None if start <= time < end else path(time)


def make_videos(photos: Path, *, rates: Sequence[int], pairs: int, seed: int) -> Iterator[Video]:
    """Yield a video of each scene for each frame rate and so many pairs of people.

    Args:
        photos: a folder with portraits, photos without faces, and truth.json.
        rates: frames a second.
        pairs: of people, for each scene and rate.
        seed: of the pairs, sizes, shake, light and noise.
    """
    people, backgrounds = read_people(photos), read_backgrounds(photos)
    for number, scene in enumerate(make_scenes()):
        for pair in range(pairs):
            rng = np.random.default_rng([seed, number, pair])
            behind, front = rng.choice(len(people), 2, replace=False)
            side = rng.uniform(60, 120)
            sides = side, side * rng.uniform(1.0, 1.35)
            for rate in rates:
                yield Video(
                    scene.name,
                    (people[behind], people[front]),
                    sides,
                    scene.paths,
                    backgrounds[int(rng.integers(len(backgrounds)))],
                    scene.seconds,
                    rate,
                    seed + pair,
                )


def still_frames(
    person: Person, background: np.ndarray, side: float, *, frames: int, seed: int
) -> Iterator[np.ndarray]:
    """Yield frames of a person who does not move, uint8 (480, 640, 3) each. Only the noise changes."""
    rng = np.random.default_rng(seed)
    scene = background.copy()
    _paste(scene, person, side, np.array([SIZE[1], SIZE[0] * 0.8]) / 2)
    for _ in range(frames):
        yield np.clip(scene + rng.normal(0, NOISE, scene.shape), 0, 255).astype(np.uint8)
