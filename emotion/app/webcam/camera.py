"""The camera: a thread reads it and keeps the newest image only, so that the window shows no old images."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, Self

import cv2
import numpy as np

from emotion.app.webcam.defaults import FIRST_IMAGE_TIMEOUT
from emotion.core.errors import InputError

SILENCE_TIMEOUT = 2.0
"""Seconds without a new image after which a camera counts as gone."""

JOIN_TIMEOUT = 0.2
"""Seconds that the thread has to close the camera at the end. It may be stuck in the driver."""

ImageSource = Callable[[threading.Event], Iterator[np.ndarray]]
"""Opens a camera and yields its images, uint8 (height, width, 3), RGB. A file waits for the event before it plays."""


class CameraFrame(NamedTuple):
    """An image from the camera.

    Attributes:
        number: from 0.
        seconds: when it came, on the monotonic clock.
        image: uint8 (height, width, 3), RGB.
    """

    number: int
    seconds: float
    image: np.ndarray


class Camera:
    """Reads a camera in a separate thread. Use it as a context manager, which closes the camera.

    Args:
        name: the camera's name in messages.
        source: yields its images. It runs in the thread, since each step of it may hang. Its event is set by
            `start_playing`.
        first_image_timeout: seconds that it has until its first image.
        silence_timeout: seconds without a new image after which it counts as gone.
        one_by_one: whether each image waits until it is taken, so that none is left out.
        notice: returns the state of the connection, where that is lost.
    """

    def __init__(
        self,
        name: str,
        source: ImageSource,
        *,
        first_image_timeout: float = FIRST_IMAGE_TIMEOUT,
        silence_timeout: float = SILENCE_TIMEOUT,
        one_by_one: bool = False,
        notice: Callable[[], str] = lambda: "",
    ) -> None:
        self.name = name
        self.notice = notice
        self._silence_timeout = silence_timeout
        self._first_image_timeout = first_image_timeout
        self._source = source
        self._one_by_one = one_by_one
        self._changed = threading.Condition()
        self._newest: CameraFrame | None = None
        self._taken = -1
        self._failure: BaseException | None = None
        self.ended = False
        """Whether the last image came, as at the end of a file. It stays False after an error."""
        self._closed = False
        self._started = time.monotonic()
        self._playing = threading.Event()
        self._thread = threading.Thread(target=self._read, name=f"camera {name}", daemon=True)
        self._thread.start()

    def wait_for_first_frame(self, *, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the first image; return whether it came. Raises as `newest_frame` does."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_newer(-1), timeout)
            if self._newest is None:
                self._raise_problem()
            return self._newest is not None

    def newest_frame(self, *, after: int, timeout: float) -> CameraFrame | None:
        """Return the newest frame if its number is above `after`; wait up to `timeout` seconds for one.

        Raises:
            InputError: the camera could not be opened, its first image did not come in time, or no image came for
                the time after that.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._has_newer(after), timeout)
            if self._newest is not None and self._newest.number > after:
                self._taken = self._newest.number
                self._changed.notify_all()
                return self._newest
            self._raise_problem()
        return None

    @property
    def last_number(self) -> int:
        """The number of the newest frame; -1 before there is one."""
        return -1 if self._newest is None else self._newest.number

    def start_playing(self) -> None:
        """Start to play a file in the camera's place: frames are shown from now on."""
        self._started = time.monotonic()
        self._playing.set()

    def _has_newer(self, after: int) -> bool:
        newer = self._newest is not None and self._newest.number > after
        return newer or self._failure is not None or self.ended

    def _raise_problem(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self.ended:
            return
        now = time.monotonic()
        if self._newest is None and now - self._started > self._first_image_timeout:
            raise InputError(
                f"camera {self.name} gave no image within {self._first_image_timeout:g} seconds; close other programs "
                "that use it, plug it in again, wait longer with --wait, or choose another one with --camera"
            )
        if self._newest is not None and now - max(self._started, self._newest.seconds) > self._silence_timeout:
            raise InputError(
                f"camera {self.name} gave no image for {self._silence_timeout:g} seconds; check that it is plugged "
                "in and switched on, then run the command again"
            )

    def _read(self) -> None:
        try:
            for image in self._source(self._playing):
                if self._closed:
                    return
                self._publish(image)
        except cv2.error as error:
            self._failure = InputError(
                f"camera {self.name} failed ({error}); plug it in again, or choose another one with --camera"
            )
        # Any error is raised again in the thread that takes the frames.
        except BaseException as error:
            self._failure = error
        else:
            self.ended = True
        with self._changed:
            self._changed.notify_all()

    def _publish(self, image: np.ndarray) -> None:
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
        self._playing.set()
        self._thread.join(JOIN_TIMEOUT)
