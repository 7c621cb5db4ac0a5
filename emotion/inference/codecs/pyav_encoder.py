"""Frames encoded by PyAV, with the sound of another file."""

import errno
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from emotion.core.errors import InputError
from emotion.inference.codecs.constant_rate import ConstantRate
from emotion.inference.codecs.encoder import Sound
from emotion.inference.codecs.sound_copy import SoundCopy
from emotion.inference.codecs.write_errors import cannot_write, incomplete

H264_ENCODERS = "libx264", "libopenh264"
"""Encoders of H.264, the better one first."""

OPTIONS = {
    "libx264": {"preset": "superfast", "crf": "20", "threads": "1"},
    "libopenh264": {"b": "6000000"},
    "mjpeg": {"flags": "+qscale", "global_quality": "354"},
}
"""The options of each encoder. 354 is the quality 3 of Motion JPEG, on a scale from 2 to 31, in FFmpeg's unit."""

FORMAT_OPTIONS = {suffix: {"movflags": "+faststart"} for suffix in (".mp4", ".mov")}
"""The options of formats, by suffix. These files get their index at the start, so that they play while they load."""

TIME_BASE = Fraction(1, 1_000_000)
"""The unit of times in files of varying rate, in seconds."""

BT601 = 6
"""FFmpeg's number of the way in which colors are stored."""


class PyAvEncoder:
    """Writes a video with PyAV. Its methods are those of `Encoder`.

    Frames keep their times. Only .avi files have a constant rate, to which frames are fitted.

    Args:
        path: the file; its suffix decides the format.
        size: height and width of the frames, both even.
        frame_rate: frames per second, on average.
        sound: what is to be heard.

    Raises:
        InputError: such a file cannot be written there, or the format cannot hold the sound.
    """

    def __init__(self, path: Path, size: tuple[int, int], frame_rate: float, sound: Sound | None) -> None:
        # With any level, a message of FFmpeg's threads takes Python's lock, and can wait for it forever.
        av.logging.set_level(None)
        self._path = path
        self._frames_taken = 0
        rate = Fraction(frame_rate).limit_denominator(1001)
        self._constant = ConstantRate(float(rate)) if path.suffix.lower() == ".avi" else None
        self._time_base = 1 / rate if self._constant else TIME_BASE
        self._frame_length = round(1 / (rate * self._time_base))
        self._next_time = 0
        try:
            self._container = av.open(str(path.resolve()), "w", options=FORMAT_OPTIONS.get(path.suffix.lower()))
        except av.FFmpegError:
            raise cannot_write(path, size) from None
        try:
            self._stream = self._add_stream(size, rate)
            self._sound = SoundCopy(sound, self._container, path) if sound else None
            self._container.start_encoding()
        except (av.FFmpegError, InputError) as error:
            self._container.close()
            raise error if isinstance(error, InputError) else cannot_write(path, size) from None

    def write(self, frame: np.ndarray, seconds: float) -> None:
        """Show `frame` from `seconds` on."""
        if self._sound:
            seconds += self._sound.first_frame
        with self._errors_named():
            if self._constant is None:
                self._encode(frame, max(self._next_time, round(seconds / self._time_base)))
            else:
                for shown in self._constant.fit(frame, seconds):
                    self._encode(shown, self._next_time)
            if self._sound:
                self._sound.copy_until(seconds)

    def close(self, *, complete: bool) -> None:
        """End the file. With `complete`, copy the rest of the sound before."""
        with self._errors_named():
            try:
                self._container.mux(self._stream.encode(None))
                if self._sound and complete:
                    self._sound.copy_until(math.inf)
            finally:
                if self._sound:
                    self._sound.close()
                self._container.close()

    def _add_stream(self, size: tuple[int, int], rate: Fraction) -> av.VideoStream:
        name = "mjpeg" if self._constant else _h264_encoder()
        stream: Any = self._container.add_stream(name, rate=rate, options=OPTIONS[name])
        stream.height, stream.width = size
        stream.pix_fmt = "yuvj420p" if self._constant else "yuv420p"
        stream.codec_context.time_base = self._time_base
        stream.codec_context.colorspace = BT601
        added: av.VideoStream = stream
        return added

    def _encode(self, frame: np.ndarray, time: int) -> None:
        planes: Any = cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420)
        picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        picture = picture.reformat(format=self._stream.pix_fmt, threads=1)
        picture.pts, picture.time_base, picture.duration = time, self._time_base, self._frame_length
        self._next_time = time + 1
        self._frames_taken += 1
        self._container.mux(self._stream.encode(picture))

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        """Raise OSError for a full disk, and InputError for other errors of FFmpeg."""
        try:
            yield
        except av.FFmpegError as error:
            if error.errno == errno.ENOSPC:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path)) from None
            raise incomplete(self._path, f"writing fails at frame {self._frames_taken}") from None


def can_encode(path: Path) -> bool:
    """Return whether this PyAV has an encoder for a file of this suffix."""
    return path.suffix.lower() == ".avi" or bool(_h264_encoder())


@cache
def _h264_encoder() -> str:
    return next((name for name in H264_ENCODERS if name in av.codecs_available), "")
