"""Video files written: frames that each show at their time."""

import errno
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from emotion.core.errors import InputError
from emotion.inference.codecs.opencv_decoder import silence_ffmpeg
from emotion.inference.video_reader import FRAME_SLACK

CODECS = {".mp4": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
"""The codec of files that are written, by suffix. OpenCV's wheels have an encoder for these."""

SPACE_CHECK_EVERY = 50
"""Frames from one check of the free disk space to the next, since OpenCV does not say when writing fails."""

MIN_FREE_BYTES = 2**20
"""A disk with fewer free bytes counts as full."""


class VideoWriter:
    """Writes frames to a video file of a fixed rate, so that each is shown at its time.

    Where frames come at another rate, some are repeated or left out. The codecs need even sides, so odd ones get one
    pixel more. Use it as a context manager, which completes the file.

    Args:
        path: the file; its suffix, one of CODECS, decides the format.
        size: height and width of the frames in pixels.
        frame_rate: frames per second.

    Raises:
        InputError: OpenCV cannot write such a file there.
    """

    def __init__(self, path: Path, size: tuple[int, int], frame_rate: float) -> None:
        silence_ffmpeg()
        self._path, self._size = path, size
        # MPEG-4 takes no finer rates. `write` makes up for the difference.
        self._rate = round(frame_rate, 2)
        self._padding = size[0] % 2, size[1] % 2
        height, width = size[0] + self._padding[0], size[1] + self._padding[1]
        codec = cv2.VideoWriter.fourcc(*CODECS[path.suffix.lower()])
        self._writer = cv2.VideoWriter(str(path.resolve()), cv2.CAP_FFMPEG, codec, self._rate, (width, height))
        if not self._writer.isOpened():
            raise InputError(
                f"OpenCV cannot write a video of {width}x{height} pixels to {path}; check that you may write to its "
                f"folder, or name a file with another suffix: {', '.join(CODECS)}"
            )
        self._frames_written = 0
        self._last_frame: np.ndarray | None = None

    def write(self, image: np.ndarray, seconds: float) -> None:
        """Show `image`, uint8 (height, width, 3), RGB, from `seconds` on.

        Raises:
            OSError: the disk is full.
        """
        index = max(0, round(seconds * self._rate))
        if self._last_frame is not None:
            while self._frames_written < index:
                self._write_frame(self._last_frame)
        frame = self._to_bgr(image)
        if self._frames_written <= index:
            self._write_frame(frame)
        self._last_frame = frame

    def _to_bgr(self, image: np.ndarray) -> np.ndarray:
        height, width = self._size
        frame = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        if frame.shape[:2] != self._size:  # some streams change it midway
            frame = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        return cv2.copyMakeBorder(frame, 0, self._padding[0], 0, self._padding[1], cv2.BORDER_REPLICATE)

    def _write_frame(self, frame: np.ndarray) -> None:
        if self._frames_written % SPACE_CHECK_EVERY == 0:
            self._check_free_space()
        self._writer.write(frame)
        self._frames_written += 1

    def _check_free_space(self) -> None:
        if shutil.disk_usage(self._path.parent).free < MIN_FREE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def _check_complete(self) -> None:
        """Count the frames in the file. Nothing else shows that writing failed."""
        capture = cv2.VideoCapture(str(self._path.resolve()), cv2.CAP_FFMPEG)
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT) if capture.isOpened() else 0
        capture.release()
        if count < self._frames_written - FRAME_SLACK or count == 0:
            self._check_free_space()
            raise InputError(
                f"{self._path} is incomplete: it has {max(0, int(count))} of {self._frames_written} frames; raise the "
                "quota or the limit on the size of files, or write to another disk"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the file. Raises OSError or InputError if it does not hold all frames."""
        self._writer.release()
        if kind is None and self._frames_written:
            self._check_complete()
