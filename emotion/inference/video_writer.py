"""Video files written: frames that each show at their time, and the sound of another video."""

from contextlib import nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from emotion.core.errors import InputError
from emotion.inference.ahead import CallsBehind
from emotion.inference.codecs.choice import open_encoder
from emotion.inference.codecs.encoder import Sound
from emotion.inference.codecs.write_errors import check_free_space

SPACE_CHECK_EVERY = 50
"""Frames from one check of the free disk space to the next, since OpenCV does not say when writing fails."""


class VideoWriter:
    """Writes frames to a video file, so that each is shown at its time.

    PyAV encodes them as H.264 where it is installed, with their times. OpenCV's files and all .avi files have a
    constant rate, for which some frames are repeated or left out. The codecs need even sides, so odd ones get one pixel
    more. Use it as a context manager, which completes the file.

    Args:
        path: the file; its suffix, one of CODECS, decides the format.
        size: height and width of the frames in pixels.
        frame_rate: frames per second, on average.
        sound: what is to be heard; left out where PyAV is not installed.

    Raises:
        InputError: such a file cannot be written there, or the format cannot hold the sound.
    """

    def __init__(self, path: Path, size: tuple[int, int], frame_rate: float, *, sound: Sound | None = None) -> None:
        self._path, self._size = path, size
        self._padding = size[0] % 2, size[1] % 2
        even_size = size[0] + self._padding[0], size[1] + self._padding[1]
        self._encoder = open_encoder(path, even_size, frame_rate, sound)
        self._encode_behind = CallsBehind(self._encode)
        self._frames_taken = 0

    def write(self, image: np.ndarray, seconds: float) -> None:
        """Show `image`, uint8 (height, width, 3), RGB, from `seconds` on.

        Another thread encodes it, so it must not be changed any more.

        Raises:
            OSError: the disk is full.
            InputError: the file may not grow.
        """
        if self._frames_taken % SPACE_CHECK_EVERY == 0:
            check_free_space(self._path)
        self._frames_taken += 1
        self._encode_behind(image, seconds)

    def _encode(self, image: np.ndarray, seconds: float) -> None:
        self._encoder.write(self._fit(image), seconds)

    def _fit(self, image: np.ndarray) -> np.ndarray:
        """Return an image of the size of the video."""
        height, width = self._size
        if image.shape[:2] != self._size:  # some streams change it midway
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        if not any(self._padding):
            return image
        return cv2.copyMakeBorder(image, 0, self._padding[0], 0, self._padding[1], cv2.BORDER_REPLICATE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the file. Raises OSError or InputError if it does not hold all frames."""
        # After an error, that error says more than those of the end.
        with suppress(OSError, InputError) if kind else nullcontext():
            try:
                self._encode_behind.finish()
            finally:
                self._encoder.close(complete=kind is None)
