"""The loop of `emotion webcam`: camera, tracker, display and recorder, until a key or the end of a file ends it."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from emotion.app.video.output_files import NO_FILES
from emotion.app.webcam.camera import Camera, CameraFrame
from emotion.app.webcam.camera_sources import open_camera
from emotion.app.webcam.display import QUIT_KEYS, Display
from emotion.app.webcam.live_tracker import LiveTracker
from emotion.app.webcam.recorder import Recorder
from emotion.app.webcam.terminal import TerminalDisplay
from emotion.app.webcam.window import Window
from emotion.inference.defaults import HALF_LIFE, SEARCH_EVERY
from emotion.inference.predictor import Predictor
from emotion.inference.tracking import TrackedFace

POLL_SECONDS = 1 / 60
"""Seconds for which keys wait at most."""


class Viewer(Protocol):
    """The place where the loop shows frames: a window, or the terminal."""

    paused: bool
    frames_shown: int

    def set_frame(self, frame: CameraFrame, tracked_faces: Sequence[TrackedFace], /) -> None:
        """Set the frame that the next `refresh` shows."""
        ...

    def set_connection_notice(self, notice: str, /) -> None:
        """Set the state of the connection to show; empty where all is well."""
        ...

    def handle_keys(self) -> bool:
        """Handle the keys pressed since the last call; return whether to continue."""
        ...

    def refresh(self) -> None:
        """Show the changes since the last call."""
        ...

    def close(self) -> None:
        """Show that the end has come."""
        ...


def run_webcam(
    source: str,
    load_predictor: Callable[[], Predictor],
    recorder: Recorder | None = None,
    *,
    first_image_timeout: float | None = None,
    loop: bool = False,
    paced: bool = True,
    window: bool = True,
    mirror: bool = True,
    bars: bool = True,
    time_limit: float = math.inf,
    search_every: float = SEARCH_EVERY,
    half_life: float = HALF_LIFE,
    folder: Path = Path(),
) -> int:
    """Show the camera with its faces in a window, until a key, the end of a file or the time limit ends it.

    Args:
        source: as in `open_camera`.
        first_image_timeout: as in `open_camera`.
        loop: as in `open_camera`.
        paced: as in `open_camera`.
        load_predictor: called once the window and the camera are there, since it can take seconds.
        recorder: records the frames that show.
        window: whether to open a window; if not, the terminal counts the frames.
        mirror: whether the image is shown as in a mirror; the faces are classified as the camera sees them.
        bars: whether a bar for each emotion shows beside a face at first.
        time_limit: seconds from the first frame that shows to the end.
        search_every: seconds from one search for faces to the next.
        half_life: seconds in which half of a change shows in boxes and probabilities.
        folder: where images are saved.

    Returns:
        How many frames were shown.

    Raises:
        InputError: there is no display, the camera is missing, in use, or gone, or a file cannot be written.
    """
    recorder = recorder or Recorder(NO_FILES)
    # The camera comes first, so that it starts while the window opens.
    with (
        open_camera(source, first_image_timeout=first_image_timeout, loop=loop, paced=paced) as camera,
        _open_window(window) as screen,
    ):
        if not _wait_for_first_frame(camera, screen):
            return 0
        predictor = load_predictor()
        camera.start_playing()
        viewer: Viewer = (
            TerminalDisplay(camera.name)
            if screen is None
            else Display(screen, predictor.emotions, mirror=mirror, bars=bars, folder=folder, recorder=recorder)
        )
        with (
            LiveTracker(predictor, search_every=search_every, half_life=half_life) as tracker,
            recorder.start(predictor.emotions),
            closing(viewer),
        ):
            run_loop(camera, tracker, viewer, recorder, time_limit=time_limit)
    return viewer.frames_shown


@contextmanager
def _open_window(wanted: bool) -> Iterator[Window | None]:
    if not wanted:
        yield None
        return
    with Window("emotion webcam") as window:
        yield window


def _wait_for_first_frame(camera: Camera, window: Window | None) -> bool:
    """Wait for the camera's first frame; return False where a key ends the command before."""
    if window is not None:
        window.show_text("waiting for the camera ...")
    while not camera.wait_for_first_frame(timeout=POLL_SECONDS):
        if window is not None and any(key in QUIT_KEYS for key in window.pressed_keys()):
            return False
    if window is not None:
        window.show_text("loading the model ...")
    return True


def run_loop(
    camera: Camera, tracker: LiveTracker, viewer: Viewer, recorder: Recorder, *, time_limit: float = math.inf
) -> None:
    """Show and record the newest frame of the camera, until the camera, a key or the time limit ends it."""
    last, end = -1, time.monotonic() + time_limit
    while not (camera.ended and last == camera.last_number) and time.monotonic() < end:
        frame = camera.newest_frame(after=last, timeout=POLL_SECONDS)
        if frame is not None:
            last = frame.number
            if not viewer.paused:
                tracked_faces = tracker.update(frame.image, frame.seconds)
                recorder.record(frame, tracked_faces)
                viewer.set_frame(frame, tracked_faces)
        viewer.set_connection_notice(camera.notice())
        if not viewer.handle_keys():
            break
        viewer.refresh()
