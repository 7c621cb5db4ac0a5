"""What `emotion webcam` does: the camera live in a window, with the faces in it read."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image

from emotion.app.webcam.camera import OPENING, Camera, CameraFrame, open_camera
from emotion.app.webcam.window import CLOSED, Window
from emotion.core.files import atomic_path
from emotion.faces.detection import Detection
from emotion.inference.annotation import annotate
from emotion.inference.motion import View
from emotion.inference.predictor import Predictor
from emotion.inference.tracking import HALF_LIFE, SEARCH_EVERY, FaceReader, FaceTracker, TrackedFace, new_share

HELP = "[q] quit  [space] pause  [m] mirror  [b] bars  [s] save an image  [h] hide this"
ENDING = ("q", "escape", CLOSED)

POLLING = 1 / 60
"""Seconds that keys wait at most."""

NOTICE = 3.0
"""Seconds for which a notice shows."""

RATE_HALF_LIFE = 0.5
"""Seconds in which half of a change shows in the frames a second."""


def watch(
    source: str,
    load: Callable[[], Predictor],
    *,
    opening: float = OPENING,
    loop: bool = False,
    paced: bool = True,
    mirror: bool = True,
    search_every: float = SEARCH_EVERY,
    half_life: float = HALF_LIFE,
    folder: Path = Path(),
) -> int:
    """Show the camera in a window, with the faces in it read, until a key ends it or the file that plays it ends.

    Args:
        source: as in `open_camera`, and so are `opening`, `loop` and `paced`.
        load: loads the model; called once the window and the camera are there, since it can take seconds.
        mirror: whether the image is shown as in a mirror; the faces are read as the camera sees them.
        search_every: seconds from one search for faces to the next.
        half_life: seconds in which half of a change shows in boxes and probabilities.
        folder: where images are saved.

    Returns:
        How many images were shown.

    Raises:
        InputError: there is no display, or the camera is not there, taken, or gone.
    """
    # The camera first: it takes its time while the window opens.
    with open_camera(source, opening=opening, loop=loop, paced=paced) as camera, Window("emotion webcam") as window:
        window.say("waiting for the camera ...")
        while not camera.is_there(timeout=POLLING):
            if any(key in ENDING for key in window.pressed()):
                return 0
        window.say("loading the model ...")
        predictor = load()
        camera.watch()
        show = Display(window, predictor.emotions, mirror=mirror, folder=folder)
        with LiveTracker(predictor, search_every=search_every, half_life=half_life) as live:
            run_loop(camera, live, show)
    return show.shown


def run_loop(camera: Camera, live: "LiveTracker", show: "Display") -> None:
    """Show the newest image of the camera and do what the keys say, until the end of either."""
    last = -1
    while not (camera.ended and last == camera.last):
        frame = camera.newest(after=last, timeout=POLLING)
        if frame is not None:
            last = frame.number
            if not show.paused:
                show.take(frame, live.update(frame.image, frame.seconds))
        if not show.answer_keys():
            break
        show.refresh()


class Display:
    """What the window shows, and what the keys change about it.

    Args:
        window: where it shows.
        emotions: the names of the probabilities, in their order.
        mirror: whether to begin mirrored.
        folder: where images are saved.
    """

    def __init__(self, window: Window, emotions: Sequence[str], *, mirror: bool, folder: Path) -> None:
        self._window = window
        self._emotions = emotions
        self._folder = folder
        self.mirror, self.bars, self.help, self.paused = mirror, True, True, False
        self.shown = 0
        self._shot: CameraFrame | None = None
        self._sightings: Sequence[TrackedFace] = ()
        self._rate = FpsMeter()
        self._notice, self._notice_ends = "", 0.0
        self._stale = False

    def take(self, frame: CameraFrame, tracked_faces: Sequence[TrackedFace]) -> None:
        """Have the next `refresh` show this image."""
        self._shot, self._sightings, self._stale = frame, tracked_faces, True
        self._rate.count(frame.seconds)
        self.shown += 1

    def answer_keys(self) -> bool:
        """Do what the keys say that were pressed since; return whether to go on."""
        for key in self._window.pressed():
            if key in ENDING:
                return False
            self._press(key)
            self._stale = True
        return True

    def refresh(self) -> None:
        """Show what changed."""
        if self._notice and time.monotonic() > self._notice_ends:
            self._notice, self._stale = "", True
        if self._stale and self._shot is not None:
            above = "paused" if self.paused else f"{self._rate.a_second:.0f} frames/s"
            below = [text for text in (self._notice, HELP if self.help else "") if text]
            self._window.show(self.render(), above=above, below=below)
            self._stale = False

    def render(self) -> np.ndarray:
        """Return what shows but for the texts on it, uint8 (height, width, 3), RGB."""
        if self._shot is None:
            raise RuntimeError("there is no image yet: call take first")
        image, tracked_faces = self._shot.image, self._sightings
        if self.mirror:
            image, tracked_faces = mirrored(image, tracked_faces)
        faces, numbers = [seen.face for seen in tracked_faces], [seen.number for seen in tracked_faces]
        return annotate(image, faces, numbers=numbers, emotions=self._emotions if self.bars else None)

    def _press(self, key: str) -> None:
        if key == "space":
            self.paused = not self.paused
        elif key == "m":
            self.mirror = not self.mirror
        elif key == "b":
            self.bars = not self.bars
        elif key == "h":
            self.help = not self.help
        elif key == "s" and self._shot is not None:
            self._tell(self._save())

    def _save(self) -> str:
        """Save the image that shows; return what to say about it."""
        name = time.strftime("emotion-%Y%m%d-%H%M%S")
        path = next(path for path in _names(self._folder, name) if not path.exists())
        try:
            with atomic_path(path) as temporary:
                Image.fromarray(self.render()).save(temporary)
        except OSError as error:
            return f"{path} could not be saved: {error.strerror or error}"
        return f"saved {path.name}  in {self._folder.resolve()}"

    def _tell(self, notice: str) -> None:
        self._notice, self._notice_ends = notice, time.monotonic() + NOTICE


class FpsMeter:
    """How many images a second come, smoothed."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._interval: float | None = None

    @property
    def a_second(self) -> float:
        """Images a second; 0 until there are two."""
        return 1 / self._interval if self._interval else 0.0

    def count(self, seconds: float) -> None:
        """Count an image that came at `seconds`."""
        interval = 0.0 if self._last is None else seconds - self._last
        self._last = seconds
        if interval > 0:
            share = new_share(interval, RATE_HALF_LIFE)
            self._interval = interval if self._interval is None else (1 - share) * self._interval + share * interval


def mirrored(image: np.ndarray, tracked_faces: Sequence[TrackedFace]) -> tuple[np.ndarray, list[TrackedFace]]:
    """Return an image and the boxes of its faces as a mirror shows them."""
    width = image.shape[1]
    boxes = [seen.face.box._replace(x=width - seen.face.box.x - seen.face.box.width) for seen in tracked_faces]
    turned = [seen._replace(face=replace(seen.face, box=box)) for seen, box in zip(tracked_faces, boxes, strict=True)]
    return np.ascontiguousarray(image[:, ::-1]), turned


def _names(folder: Path, name: str) -> Iterator[Path]:
    yield folder / f"{name}.png"
    yield from (folder / f"{name}-{number}.png" for number in count(2))


class LiveTracker:
    """Reads the newest image while a search for faces in an earlier one runs beside it.

    What a search found is carried on from the image that it saw to the newest. Leave it as a context, which ends the
    thread.

    Args:
        predictor: finds and reads faces.
        search_every: seconds from the start of one search to the next, at least.
        half_life: seconds in which half of a change shows in boxes and probabilities.
    """

    def __init__(
        self, predictor: FaceReader, *, search_every: float = SEARCH_EVERY, half_life: float = HALF_LIFE
    ) -> None:
        self._predictor = predictor
        self._tracker = FaceTracker(predictor, search_every=search_every, half_life=half_life)
        self._searcher = ThreadPoolExecutor(1, thread_name_prefix="search")
        self._search: Future[list[Detection]] | None = None
        self._searched: tuple[View, float] | None = None

    def update(self, image: np.ndarray, seconds: float) -> list[TrackedFace]:
        """Return the faces in the newest image, by number; those of the first image once they are found.

        Args:
            image: uint8 (height, width, 1 or 3).
            seconds: when it came.
        """
        view = self._tracker.propagate(image)
        if self._search is not None and self._searched is not None and self._search.done():
            then, when = self._searched
            self._tracker.set_detections(self._search.result(), when, view=then)
            self._search = None
        if self._search is None and self._tracker.is_due(seconds):
            self._search, self._searched = self._searcher.submit(self._predictor.detect, image), (view, seconds)
        return self._tracker.read(image, seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._searcher.shutdown(cancel_futures=True)
