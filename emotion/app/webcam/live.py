"""The loop of `emotion webcam`: camera, tracker and display, until a key or the end of a file ends it."""

from collections.abc import Callable
from pathlib import Path

from emotion.app.webcam.camera import Camera
from emotion.app.webcam.camera_sources import open_camera
from emotion.app.webcam.defaults import FIRST_IMAGE_TIMEOUT
from emotion.app.webcam.display import QUIT_KEYS, Display
from emotion.app.webcam.live_tracker import LiveTracker
from emotion.app.webcam.window import Window
from emotion.inference.defaults import HALF_LIFE, SEARCH_EVERY
from emotion.inference.predictor import Predictor

POLL_SECONDS = 1 / 60
"""Seconds for which keys wait at most."""


def run_webcam(
    source: str,
    load_predictor: Callable[[], Predictor],
    *,
    first_image_timeout: float = FIRST_IMAGE_TIMEOUT,
    loop: bool = False,
    paced: bool = True,
    mirror: bool = True,
    search_every: float = SEARCH_EVERY,
    half_life: float = HALF_LIFE,
    folder: Path = Path(),
) -> int:
    """Show the camera with its faces in a window, until a key or the end of a file ends it.

    Args:
        source: as in `open_camera`.
        first_image_timeout: as in `open_camera`.
        loop: as in `open_camera`.
        paced: as in `open_camera`.
        load_predictor: called once the window and the camera are there, since it can take seconds.
        mirror: whether the image is shown as in a mirror; the faces are classified as the camera sees them.
        search_every: seconds from one search for faces to the next.
        half_life: seconds in which half of a change shows in boxes and probabilities.
        folder: where images are saved.

    Returns:
        How many frames were shown.

    Raises:
        InputError: there is no display, or the camera is missing, in use, or gone.
    """
    # The camera comes first, so that it starts while the window opens.
    with (
        open_camera(source, first_image_timeout=first_image_timeout, loop=loop, paced=paced) as camera,
        Window("emotion webcam") as window,
    ):
        window.show_text("waiting for the camera ...")
        while not camera.wait_for_first_frame(timeout=POLL_SECONDS):
            if any(key in QUIT_KEYS for key in window.pressed_keys()):
                return 0
        window.show_text("loading the model ...")
        predictor = load_predictor()
        camera.start_playing()
        display = Display(window, predictor.emotions, mirror=mirror, folder=folder)
        with LiveTracker(predictor, search_every=search_every, half_life=half_life) as tracker:
            run_loop(camera, tracker, display)
    return display.frames_shown


def run_loop(camera: Camera, tracker: LiveTracker, display: Display) -> None:
    """Show the newest frame of the camera and handle keys, until the camera ends or a key ends it."""
    last = -1
    while not (camera.ended and last == camera.last_number):
        frame = camera.newest_frame(after=last, timeout=POLL_SECONDS)
        if frame is not None:
            last = frame.number
            if not display.paused:
                display.set_frame(frame, tracker.update(frame.image, frame.seconds))
        if not display.handle_keys():
            break
        display.refresh()
