"""Video files read: frames as images with their times."""

import math
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple, Self

import cv2
import numpy as np

from emotion.core.errors import InputError
from emotion.data.images import from_frame, silence_opencv

FRAME_RATES = (0.1, 240.0)
"""Lowest and highest frames per second that count as plausible."""

DEFAULT_RATE = 30.0
"""Frames per second of a file that declares none, or an implausible number."""

LONGEST_GAP = 60.0
"""Seconds from one frame to the next. With more between them, the times in the file are not used."""

MAX_FRAMES = 2**31
"""The number of declared frames from which on it counts as wrong."""

FRAME_SLACK = 2
"""Frames at the end that a sound file may declare and not have: containers guess, and decoders hold some back."""


class Frame(NamedTuple):
    """A frame of a video.

    Attributes:
        number: from 0.
        seconds: its time, from 0 for the first.
        image: uint8 (height, width, 3), RGB.
    """

    number: int
    seconds: float
    image: np.ndarray


class VideoReader:
    """Reads the frames of a video file one after another, rotated as they are to be shown.

    Args:
        path: the file, of any format that OpenCV's FFmpeg reads.

    Raises:
        InputError: the file is missing, empty, or no video that can be read.
    """

    def __init__(self, path: Path) -> None:
        _check_video_file(path)
        silence_ffmpeg()
        self.path = path
        # A whole path, since FFmpeg takes `name:` at the start for a protocol.
        self._capture = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise InputError(
                f"{path} cannot be read as a video: it is cut off, broken or of an unknown format; expected a complete "
                "video such as .mp4, .avi, .mkv or .webm"
            )
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.frame_rate = rate if FRAME_RATES[0] <= rate <= FRAME_RATES[1] else DEFAULT_RATE
        """Frames per second, on average."""
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.declared_frames = int(count) if 0 < count < MAX_FRAMES else None
        """The number of frames that the file declares, or None. Some containers only estimate it."""
        self._frames_read = 0
        self._clock = FrameClock(self.frame_rate)

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames, once.

        Raises:
            InputError: no frame can be decoded.
        """
        while (frame := self._read_frame()) is not None:
            yield frame
        if not self._frames_read:
            raise InputError(
                f"{self.path} has no frame that can be read: it is empty, cut off or broken; expected a complete video"
            )

    def _read_frame(self) -> Frame | None:
        decoded, frame = self._capture.read()
        if not decoded:
            return None
        seconds = self._clock.advance(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        self._frames_read += 1
        return Frame(self._frames_read - 1, seconds, from_frame(frame))

    @property
    def missing_frames(self) -> int:
        """The number of declared frames that are missing at the end, once all are read. 0 if the file is sound."""
        if self.declared_frames is None or self._frames_read >= self.declared_frames - FRAME_SLACK:
            return 0
        # With a varying rate the number may be guessed from the length. Then only the length can be trusted.
        ends_early = self._clock.seconds + (FRAME_SLACK + 1) / self.frame_rate < self.declared_frames / self.frame_rate
        return self.declared_frames - self._frames_read if ends_early else 0

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FrameClock:
    """The times of frames: the file's timestamps where they make sense, and else one frame's length after the last.

    Args:
        frame_rate: frames per second.
    """

    def __init__(self, frame_rate: float) -> None:
        self._step = 1 / frame_rate
        self._first: float | None = None
        self.seconds = 0.0
        """The time of the last frame, from 0 for the first."""

    def advance(self, timestamp: float) -> float:
        """Go to the next frame, which has this timestamp in the file, in seconds. Return its time."""
        if self._first is None:
            self._first = timestamp if math.isfinite(timestamp) else 0.0
            return self.seconds
        seconds = timestamp - self._first
        plausible = self.seconds < seconds <= self.seconds + LONGEST_GAP
        self.seconds = seconds if plausible else self.seconds + self._step
        return self.seconds


@cache
def silence_ffmpeg() -> None:
    """Keep OpenCV and its FFmpeg from writing to standard error. Errors are raised as InputError instead."""
    silence_opencv()
    # FFmpeg reads it when it opens the first video.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


def _check_video_file(path: Path) -> None:
    if not path.exists():
        raise InputError(f"{path} does not exist; expected a video, such as holiday.mp4")
    if not path.is_file():
        raise InputError(f"{path} is not a file; expected a video, such as holiday.mp4")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty; expected a video, such as holiday.mp4")
