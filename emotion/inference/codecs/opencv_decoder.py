"""Frames decoded by OpenCV."""

import os
import time
from functools import cache

import cv2
import numpy as np

from emotion.core.errors import InputError
from emotion.data.images import from_frame, silence_opencv
from emotion.inference.codecs.decoder import REMEDY
from emotion.inference.codecs.interlacing import is_interlaced
from emotion.inference.codecs.square_pixels import square_pixel_size
from emotion.inference.codecs.stream_options import opencv_options


class OpenCvDecoder:
    """Decodes a video with OpenCV. Its attributes and methods are those of `Decoder`.

    Args:
        location: the absolute path of a file, or a URL.
        name: names the video in messages.
        timeouts: seconds that a stream has to open, and from one read to the next.

    Raises:
        InputError: there is no video that can be read, or it is interlaced.
    """

    def __init__(self, location: str, name: str, *, timeouts: tuple[float, float] | None = None) -> None:
        silence_ffmpeg()
        limits = zip((cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, cv2.CAP_PROP_READ_TIMEOUT_MSEC), timeouts or (), strict=False)
        options = [value for key, seconds in limits for value in (key, round(1000 * seconds))]
        with opencv_options(location):
            self._capture = cv2.VideoCapture(location, cv2.CAP_FFMPEG, options)
            interlaced = self._capture.isOpened() and "://" not in location and is_interlaced(location)
        if not self._capture.isOpened():
            raise InputError(
                f"{name} cannot be read as a video: it is cut off, broken or of an unknown format; expected a complete "
                f"video, or a decoder that reads more: {REMEDY}"
            )
        if interlaced:
            self._capture.release()
            raise InputError(
                f"{name} is interlaced, as videos of camcorders, DVDs and television are, and OpenCV decodes it "
                f"wrongly; install a decoder that reads it: {REMEDY}"
            )
        self.frame_rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.declared_frames = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        # FFmpeg counts 25 images of a camera's JPEG stream as a second, whatever its rate. So the clock tells the time.
        codec = int(self._capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little")
        self._untimed = location.startswith("http") and codec == b"MJPG" and self.declared_frames <= 0
        self.has_size = False
        self.has_sound = False
        self._aspect_ratio = self._read_aspect_ratio()

    def read(self) -> tuple[np.ndarray, float] | None:
        """Return the next frame and its timestamp, or None at the end."""
        decoded, frame = self._capture.read()
        if not decoded:
            return None
        seconds = time.monotonic() if self._untimed else self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        return self._to_image(frame), seconds

    def close(self) -> None:
        """Close the video."""
        self._capture.release()

    def _read_aspect_ratio(self) -> float:
        """Return the width of a pixel over its height, in the frames as OpenCV returns them."""
        width, height = (self._capture.get(key) for key in (cv2.CAP_PROP_SAR_NUM, cv2.CAP_PROP_SAR_DEN))
        if not width or not height:
            return 1.0
        sideways = self._capture.get(cv2.CAP_PROP_ORIENTATION_META) % 180 == 90
        return height / width if sideways else width / height

    def _to_image(self, frame: np.ndarray) -> np.ndarray:
        height, width = square_pixel_size(frame.shape[0], frame.shape[1], self._aspect_ratio)
        if frame.shape[:2] != (height, width):
            frame = cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR)
        return from_frame(frame)


@cache
def silence_ffmpeg() -> None:
    """Keep OpenCV and its FFmpeg from writing to standard error. Errors are raised as InputError instead."""
    silence_opencv()
    # FFmpeg reads it when it opens the first video.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
