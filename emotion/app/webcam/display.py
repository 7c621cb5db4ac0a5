"""The content of the window: the newest frame with its faces. Keys change it."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image

from emotion.app.webcam.camera import CameraFrame
from emotion.app.webcam.fps_meter import FpsMeter
from emotion.app.webcam.recorder import Recorder
from emotion.app.webcam.window import CLOSED, Window
from emotion.core.files import atomic_path
from emotion.inference.annotation import annotate
from emotion.inference.tracking import TrackedFace

HELP = "[q] quit  [space] pause  [m] mirror  [b] bars  [s] save an image  [h] hide this"
QUIT_KEYS = ("q", "escape", CLOSED)

NOTICE_SECONDS = 3.0
"""Seconds for which a notice shows."""


class Display:
    """Shows frames in the window and handles its keys.

    Args:
        window: where it shows.
        emotions: the names of the probabilities, in their order.
        mirror: whether to begin mirrored.
        bars: whether to begin with bars.
        folder: where images are saved.
        recorder: what records the frames; while it does, a red dot and the time show.
    """

    def __init__(
        self,
        window: Window,
        emotions: Sequence[str],
        *,
        mirror: bool,
        folder: Path,
        recorder: Recorder,
        bars: bool = True,
    ) -> None:
        self._window = window
        self._emotions = emotions
        self._folder = folder
        self._recorder = recorder
        self.mirror, self.bars, self.help, self.paused = mirror, bars, True, False
        self.frames_shown = 0
        self._frame: CameraFrame | None = None
        self._tracked_faces: Sequence[TrackedFace] = ()
        self._fps_meter = FpsMeter()
        self._notice, self._notice_end = "", 0.0
        self._connection_notice = ""
        self._changed = False

    def set_frame(self, frame: CameraFrame, tracked_faces: Sequence[TrackedFace]) -> None:
        """Set the frame that the next `refresh` shows."""
        self._frame, self._tracked_faces, self._changed = frame, tracked_faces, True
        self._fps_meter.update(frame.seconds)
        self.frames_shown += 1

    def set_connection_notice(self, notice: str) -> None:
        """Set the state of the connection to show below the image; empty where all is well."""
        self._changed |= notice != self._connection_notice
        self._connection_notice = notice

    def handle_keys(self) -> bool:
        """Handle the keys pressed since the last call; return whether to continue."""
        for key in self._window.pressed_keys():
            if key in QUIT_KEYS:
                return False
            self._handle_key(key)
            self._changed = True
        return True

    def refresh(self) -> None:
        """Draw the window again if anything changed."""
        if self._notice and time.monotonic() > self._notice_end:
            self._notice, self._changed = "", True
        if self._changed and self._frame is not None:
            below = [text for text in (self._connection_notice, self._notice, HELP if self.help else "") if text]
            recording = self._recorder.active and not self.paused
            self._window.show(self.render(), above=self._status(), below=below, recording=recording)
            self._changed = False

    def close(self) -> None:
        """Show that the recording, if any, is being completed."""
        if self._recorder.active:
            self._window.show_text("completing the recording ...")

    def render(self) -> np.ndarray:
        """Return the frame as it shows, without the texts of the window; uint8 (height, width, 3), RGB."""
        if self._frame is None:
            raise RuntimeError("there is no frame yet: call set_frame first")
        image, tracked_faces = self._frame.image, self._tracked_faces
        if self.mirror:
            image, tracked_faces = mirror_faces(image, tracked_faces)
        faces, numbers = [tracked.face for tracked in tracked_faces], [tracked.number for tracked in tracked_faces]
        return annotate(image, faces, numbers=numbers, emotions=self._emotions if self.bars else None)

    def _status(self) -> str:
        """Return the line above the image: the time that was recorded, and how many frames a second show."""
        minutes, seconds = divmod(int(self._recorder.seconds), 60)
        recorded = f"REC {minutes}:{seconds:02}   " if self._recorder.active else ""
        return recorded + ("paused" if self.paused else f"{self._fps_meter.fps:.0f} frames/s")

    def _handle_key(self, key: str) -> None:
        if key == "space":
            self.paused = not self.paused
        elif key == "m":
            self.mirror = not self.mirror
        elif key == "b":
            self.bars = not self.bars
        elif key == "h":
            self.help = not self.help
        elif key == "s" and self._frame is not None:
            self._notice, self._notice_end = self._save_image(), time.monotonic() + NOTICE_SECONDS

    def _save_image(self) -> str:
        """Save the image that shows; return the notice about it."""
        name = time.strftime("emotion-%Y%m%d-%H%M%S")
        path = next(path for path in _candidate_paths(self._folder, name) if not path.exists())
        try:
            with atomic_path(path) as temporary:
                Image.fromarray(self.render()).save(temporary)
        except OSError as error:
            return f"{path} could not be saved: {error.strerror or error}"
        return f"saved {path.name}  in {self._folder.resolve()}"


def mirror_faces(image: np.ndarray, tracked_faces: Sequence[TrackedFace]) -> tuple[np.ndarray, list[TrackedFace]]:
    """Return an image and its faces as a mirror shows them."""
    width = image.shape[1]
    mirrored = []
    for tracked in tracked_faces:
        box = tracked.face.box
        face = replace(tracked.face, box=box._replace(x=width - box.x - box.width))
        mirrored.append(tracked._replace(face=face))
    return np.ascontiguousarray(image[:, ::-1]), mirrored


def _candidate_paths(folder: Path, name: str) -> Iterator[Path]:
    yield folder / f"{name}.png"
    yield from (folder / f"{name}-{number}.png" for number in count(2))
