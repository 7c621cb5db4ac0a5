"""Frames encoded by OpenCV, without sound."""

from pathlib import Path

import cv2
import numpy as np

from emotion.inference.codecs.constant_rate import ConstantRate
from emotion.inference.codecs.encoder import CODECS
from emotion.inference.codecs.opencv_decoder import silence_ffmpeg
from emotion.inference.codecs.write_errors import cannot_write, check_free_space, incomplete

FRAME_SLACK = 2
"""Frames by which the number that a sound file declares may differ."""


class OpenCvEncoder:
    """Writes a video of constant rate with OpenCV. Its methods are those of `Encoder`.

    Args:
        path: the file; its suffix, one of CODECS, decides the format.
        size: height and width of the frames, both even.
        frame_rate: frames per second.

    Raises:
        InputError: OpenCV cannot write such a file there.
    """

    def __init__(self, path: Path, size: tuple[int, int], frame_rate: float) -> None:
        silence_ffmpeg()
        self._path = path
        # MPEG-4 takes no finer rates. ConstantRate makes up for the difference.
        rate = round(frame_rate, 2)
        self._frames = ConstantRate(rate)
        codec = cv2.VideoWriter.fourcc(*CODECS[path.suffix.lower()])
        height, width = size
        self._writer = cv2.VideoWriter(str(path.resolve()), cv2.CAP_FFMPEG, codec, rate, (width, height))
        if not self._writer.isOpened():
            raise cannot_write(path, size)

    def write(self, frame: np.ndarray, seconds: float) -> None:
        """Show `frame` from `seconds` on."""
        for shown in self._frames.fit(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), seconds):
            self._writer.write(shown)

    def close(self, *, complete: bool) -> None:
        """End the file. With `complete`, count the frames in it. Nothing else shows that writing failed."""
        self._writer.release()
        if not complete or not self._frames.count:
            return
        capture = cv2.VideoCapture(str(self._path.resolve()), cv2.CAP_FFMPEG)
        count = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT))) if capture.isOpened() else 0
        capture.release()
        if count < self._frames.count - FRAME_SLACK or count == 0:
            check_free_space(self._path)
            raise incomplete(self._path, f"it has {count} of {self._frames.count} frames")
