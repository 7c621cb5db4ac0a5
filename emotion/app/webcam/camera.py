"""The camera: a thread reads it and keeps the newest image only, so that who looks is never behind.

A video file can play the camera, at its own pace.
"""

import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Self

import cv2
import numpy as np

from emotion.core.errors import InputError
from emotion.data.images import from_frame
from emotion.inference.videos import VideoReader, silence_ffmpeg

OPENING = 2.0
"""Seconds that a camera has until its first image, unless told."""

SILENCE = 2.0
"""Seconds without a new image after which a camera counts as gone."""

RETRY = 0.05
"""Seconds after which a camera that gave no image is asked again."""

DEVICES = Path("/dev")
"""Where Linux has its cameras."""

PARTING = 0.2
"""Seconds that the thread has to let go of the camera at the end. It may be stuck in the driver."""


Images = Callable[[threading.Event], Iterator[np.ndarray]]


class CameraFrame(NamedTuple):
    """An image from the camera: its number, from 0; when it came, in seconds; and uint8 (height, width, 3), RGB."""

    number: int
    seconds: float
    image: np.ndarray


class Camera:
    """Reads a camera in a thread of its own. Leave it as a context, which lets go of the camera.

    Args:
        name: what the messages call it.
        images: opens the camera and gives its images; run in the thread, since each step of it may hang. It gets
            an event that is set once somebody looks, for what is not to play before.
        opening: seconds that it has until its first image.
        one_by_one: whether each image waits until it was taken, so that none is left out.
    """

    def __init__(self, name: str, images: Images, *, opening: float = OPENING, one_by_one: bool = False) -> None:
        self.name = name
        self._opening = opening
        self._images = images
        self._one_by_one = one_by_one
        self._changed = threading.Condition()
        self._newest: CameraFrame | None = None
        self._taken = -1
        self._failure: BaseException | None = None
        self.ended = False
        """Whether the last image came: a file has an end."""
        self._closed = False
        self._began = time.monotonic()
        self._watched = threading.Event()
        self._thread = threading.Thread(target=self._read, name=f"camera {name}", daemon=True)
        self._thread.start()

    def is_there(self, *, timeout: float) -> bool:
        """Return whether the first image came; wait for it for `timeout` seconds at most. Raises as `newest` does."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_news(-1), timeout)
            if self._newest is None:
                self._check()
            return self._newest is not None

    def newest(self, *, after: int, timeout: float) -> CameraFrame | None:
        """Return the newest image if its number is above `after`; wait for one for `timeout` seconds at most.

        Raises:
            InputError: the camera could not be opened, gave no first image in time, or none for SILENCE seconds
                after that.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_news(after), timeout)
            if self._newest is not None and self._newest.number > after:
                self._taken = self._newest.number
                self._changed.notify_all()
                return self._newest
            self._check()
        return None

    @property
    def last(self) -> int:
        """The number of the newest image; -1 before there is one."""
        return -1 if self._newest is None else self._newest.number

    def watch(self) -> None:
        """Say that somebody looks from now on: a file begins to play."""
        self._began = time.monotonic()
        self._watched.set()

    def _is_news(self, after: int) -> bool:
        news = self._newest is not None and self._newest.number > after
        return news or self._failure is not None or self.ended

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self.ended:
            return
        now = time.monotonic()
        if self._newest is None and now - self._began > self._opening:
            raise InputError(
                f"camera {self.name} gave no image within {self._opening:g} seconds; does another program use it? "
                "Unplug it and plug it in again, give it longer with --wait, or name another one with --camera"
            )
        if self._newest is not None and now - max(self._began, self._newest.seconds) > SILENCE:
            raise InputError(
                f"camera {self.name} gave no image for {SILENCE:g} seconds; was it unplugged, or switched off?"
            )

    def _read(self) -> None:
        try:
            for image in self._images(self._watched):
                if self._closed:
                    return
                self._give(image)
        except cv2.error as error:
            self._failure = InputError(f"camera {self.name} failed: {error}")
        # Whatever it is, it is raised again where images are asked for.
        except BaseException as error:
            self._failure = error
        finally:
            with self._changed:
                self.ended = True
                self._changed.notify_all()

    def _give(self, image: np.ndarray) -> None:
        with self._changed:
            number = 0 if self._newest is None else self._newest.number + 1
            self._newest = CameraFrame(number, time.monotonic(), image)
            self._changed.notify_all()
            if self._one_by_one:
                self._changed.wait_for(lambda: self._closed or self._taken >= number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._watched.set()
        self._thread.join(PARTING)


def open_camera(source: str, *, opening: float = OPENING, loop: bool = False, paced: bool = True) -> Camera:
    """Return the camera that `source` names.

    Args:
        source: a camera's number, from 0; a device such as /dev/video0; or a video file to play in its place.
        opening: seconds that it has until its first image.
        loop: whether a file starts anew at its end.
        paced: whether a file plays at its own pace; if not, its images come as fast as they are taken.

    Raises:
        InputError: there is no such camera or file.
    """
    path = Path(source)
    number = _device_number(source)
    if number is not None:
        return Camera(source, lambda _: _device_images(number, number), opening=opening)
    if not path.exists():
        raise InputError(f"--camera {source}: there is no such file; expected a camera's number, such as 0, or a file")
    if path.is_file():
        VideoReader(path).close()  # says at once what is wrong with it
        return Camera(
            source,
            lambda watched: _file_images(path, watched, loop=loop, paced=paced),
            opening=opening,
            one_by_one=not paced,
        )
    return Camera(source, lambda _: _device_images(str(path), None), opening=opening)


def _device_number(source: str) -> int | None:
    number = source.removeprefix("/dev/video")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 4 else None


def _device_images(device: int | str, number: int | None) -> Iterator[np.ndarray]:
    silence_ffmpeg()
    # Without it Windows takes up to half a minute to open a camera.
    os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
    capture = cv2.VideoCapture(device)
    try:
        if not capture.isOpened():
            raise InputError(_why_closed(device, number))
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        while True:
            arrived, frame = capture.read()
            if arrived:
                yield from_frame(frame)
            else:
                time.sleep(RETRY)  # the reader's silence tells that it is gone
    finally:
        capture.release()


def _why_closed(device: int | str, number: int | None) -> str:
    """Return why a camera does not open, as far as that can be told."""
    if number is None or not sys.platform.startswith("linux"):
        return f"camera {device} cannot be opened; is it plugged in, and does no other program use it?"
    node = DEVICES / f"video{number}"
    if not node.exists():
        others = [path.name.removeprefix("video") for path in sorted(DEVICES.glob("video*"))]
        there = f"there are {', '.join(others)}" if others else "this machine has none"
        return f"there is no camera {number}: {there}. A video file can take its place: --camera holiday.mp4"
    if not os.access(node, os.R_OK | os.W_OK):
        return f"camera {number} may not be used by this user; add it to the group of {node} (mostly `video`)"
    if not stat.S_ISCHR(node.stat().st_mode):
        return f"{node} is no camera"
    return f"camera {number} cannot be opened: another program uses it, or {node} gives no images"


def _file_images(path: Path, watched: threading.Event, *, loop: bool, paced: bool) -> Iterator[np.ndarray]:
    while True:
        with VideoReader(path) as reader:
            start = time.monotonic()
            for frame in reader:
                if paced:
                    time.sleep(max(0.0, start + frame.seconds - time.monotonic()))
                yield frame.image
                if not watched.is_set():
                    watched.wait()
                    start = time.monotonic() - frame.seconds
        if not loop:
            return
