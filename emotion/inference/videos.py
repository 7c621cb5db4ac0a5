"""Video files: frames in, as images with their times, and frames out."""

import errno
import math
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import cv2
import numpy as np

from emotion.core.errors import InputError
from emotion.data.images import from_frame, silence_opencv

CODECS = {".mp4": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
"""How frames are coded in files that are written, by suffix: those that OpenCV's wheels have an encoder for."""

FRAME_RATES = (0.1, 240.0)
"""Frames a second that are believed."""

USUAL_RATE = 30.0
"""Frames a second of a file that says none, or one that cannot be."""

LONGEST_GAP = 60.0
"""Seconds from one frame to the next; with more between them the times in the file are not believed."""

MOST_FRAMES = 2**31
SLACK = 2
"""Frames at the end that a sound file may promise and not give: containers guess, and decoders hold some back."""

CHECK_EVERY = 50
"""Frames between two looks at the room on the disk, since OpenCV does not say when writing fails."""

LEAST_ROOM = 2**20
"""Bytes left on a disk that counts as full."""


class Frame(NamedTuple):
    """A frame of a video: its number, from 0; its time in seconds, from 0; and uint8 (height, width, 3), RGB."""

    number: int
    seconds: float
    image: np.ndarray


class VideoReader:
    """Reads the frames of a video file one after another; rotated as the file says they are to be shown.

    Args:
        path: the file, of any format that OpenCV's FFmpeg reads.

    Raises:
        InputError: there is no such file, it is empty, or no video that can be read.
    """

    def __init__(self, path: Path) -> None:
        _check_file(path)
        silence_ffmpeg()
        self.path = path
        # A whole path, since FFmpeg takes `name:` at the start for a protocol.
        self._capture = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise InputError(
                f"{path} cannot be read as a video: it is cut off, no video, or of a format that OpenCV does not know; "
                "expected a file such as .mp4, .avi, .mkv or .webm"
            )
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.frame_rate = rate if FRAME_RATES[0] <= rate <= FRAME_RATES[1] else USUAL_RATE
        """Frames a second, on average."""
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.promised = int(count) if 0 < count < MOST_FRAMES else None
        """How many frames the file says it has, where it says so. Some containers only estimate it."""
        self._given = 0
        self._clock = Clock(self.frame_rate)

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames, once.

        Raises:
            InputError: there is not one that decodes.
        """
        while (frame := self._next()) is not None:
            yield frame
        if not self._given:
            raise InputError(f"{self.path} holds no frame that can be read: the video is empty, cut off or broken")

    def _next(self) -> Frame | None:
        arrived, frame = self._capture.read()
        if not arrived:
            return None
        seconds = self._clock.tell(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        self._given += 1
        return Frame(self._given - 1, seconds, from_frame(frame))

    @property
    def missing(self) -> int:
        """How many frames the file promised after the last that came, once they all have; 0 if it is sound."""
        if self.promised is None or self._given >= self.promised - SLACK:
            return 0
        # Of a variable rate the promise may be a guess from the length, and then the length is what can be trusted.
        ends_early = self._clock.seconds + (SLACK + 1) / self.frame_rate < self.promised / self.frame_rate
        return self.promised - self._given if ends_early else 0

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Clock:
    """The times of frames: what the file says as long as it can be, and otherwise a frame's length after the last."""

    def __init__(self, frame_rate: float) -> None:
        self._step = 1 / frame_rate
        self._first: float | None = None
        self.seconds = 0.0
        """The time of the last frame, from 0 for the first."""

    def tell(self, stamp: float) -> float:
        """Return the time of the next frame, to which the file gives the time `stamp`, in seconds."""
        if self._first is None:
            self._first = stamp if math.isfinite(stamp) else 0.0
            return self.seconds
        seconds = stamp - self._first
        sane = self.seconds < seconds <= self.seconds + LONGEST_GAP
        self.seconds = seconds if sane else self.seconds + self._step
        return self.seconds


class VideoWriter:
    """Writes frames to a video file of a fixed rate, so that each is shown at its time.

    Where frames come at another rate, some are repeated or left out. Sides of an odd number of pixels get one more,
    which the codecs want. Leave it as a context, which ends the file.

    Args:
        path: the file; its suffix, one of CODECS, decides on the format.
        size: height and width of the frames in pixels.
        frame_rate: frames a second.

    Raises:
        InputError: OpenCV cannot write such a file there.
    """

    def __init__(self, path: Path, size: tuple[int, int], frame_rate: float) -> None:
        silence_ffmpeg()
        self._path, self._size = path, size
        # MPEG-4 takes no finer rates; what is lost, `write` makes up for.
        self._rate = round(frame_rate, 2)
        self._pad = size[0] % 2, size[1] % 2
        height, width = size[0] + self._pad[0], size[1] + self._pad[1]
        code = cv2.VideoWriter.fourcc(*CODECS[path.suffix.lower()])
        self._writer = cv2.VideoWriter(str(path.resolve()), cv2.CAP_FFMPEG, code, self._rate, (width, height))
        if not self._writer.isOpened():
            raise InputError(
                f"OpenCV cannot write a video of {width}x{height} pixels to {path}; see that its folder can be written "
                f"to, or name a file of another kind: {', '.join(CODECS)}"
            )
        self._written = 0
        self._last: np.ndarray | None = None

    def write(self, image: np.ndarray, seconds: float) -> None:
        """Show `image`, uint8 (height, width, 3), RGB, from `seconds` on.

        Raises:
            OSError: the disk is full.
        """
        place = max(0, round(seconds * self._rate))
        if self._last is not None:
            while self._written < place:
                self._put(self._last)
        frame = self._to_frame(image)
        if self._written <= place:
            self._put(frame)
        self._last = frame

    def _to_frame(self, image: np.ndarray) -> np.ndarray:
        height, width = self._size
        frame = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        if frame.shape[:2] != self._size:  # some streams change it on the way
            frame = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        return cv2.copyMakeBorder(frame, 0, self._pad[0], 0, self._pad[1], cv2.BORDER_REPLICATE)

    def _put(self, frame: np.ndarray) -> None:
        if self._written % CHECK_EVERY == 0:
            self._check_room()
        self._writer.write(frame)
        self._written += 1

    def _check_room(self) -> None:
        if shutil.disk_usage(self._path.parent).free < LEAST_ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def _check_whole(self) -> None:
        """Read how many frames the file holds: nothing else tells that writing failed."""
        capture = cv2.VideoCapture(str(self._path.resolve()), cv2.CAP_FFMPEG)
        held = capture.get(cv2.CAP_PROP_FRAME_COUNT) if capture.isOpened() else 0
        capture.release()
        if held < self._written - SLACK or held == 0:
            self._check_room()
            raise InputError(
                f"{self._path} could not be written whole: {max(0, int(held))} of {self._written} frames are in it; "
                "is there a quota, or a limit to the size of files?"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the file; OSError or InputError if it did not get all frames."""
        self._writer.release()
        if kind is None and self._written:
            self._check_whole()


@cache
def silence_ffmpeg() -> None:
    """Keep OpenCV and its FFmpeg from writing to standard error; what goes wrong we say ourselves."""
    silence_opencv()
    # Read on the first use of a video.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


def _check_file(path: Path) -> None:
    if not path.exists():
        raise InputError(f"{path}: there is no such file; expected a video")
    if not path.is_file():
        raise InputError(f"{path} is no file; expected a video, such as holiday.mp4")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty; expected a video")
