"""Videos read: frames as images with their times."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from emotion.core.errors import InputError
from emotion.inference.codecs.choice import open_decoder
from emotion.inference.codecs.decoder import is_plausible_rate
from emotion.inference.codecs.encoder import Sound
from emotion.inference.stream_address import public_name
from emotion.inference.video_files import check_video_file

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
    """Reads the frames of a video one after another, as they are to be shown.

    They are rotated and have square pixels, and none is interlaced. PyAV decodes them where it is installed, and else
    OpenCV, which cannot decode interlaced videos.

    Args:
        source: a file, or the URL of a stream as text.
        timeouts: seconds that a stream has to open, and from one read to the next.

    Raises:
        InputError: a file is missing or empty; the source is no video that can be read; or PyAV is needed for it.
    """

    def __init__(self, source: Path | str, *, timeouts: tuple[float, float] | None = None) -> None:
        self.name = str(source) if isinstance(source, Path) else public_name(source)
        """The source as messages name it."""
        self.location = str(source)
        """The URL, or the absolute path of the file."""
        if isinstance(source, Path):
            check_video_file(source)
            # A whole path, since FFmpeg takes `name:` at the start for a protocol.
            self.location = str(source.resolve())
        self._decoder = open_decoder(self.location, self.name, timeouts=timeouts)
        rate = self._decoder.frame_rate
        self.frame_rate = rate if is_plausible_rate(rate) else DEFAULT_RATE
        """Frames per second, on average."""
        count = self._decoder.declared_frames
        self.declared_frames = int(count) if 0 < count < MAX_FRAMES else None
        """The number of frames that the file declares, or None. Some containers only estimate it."""
        self.has_end = self.declared_frames is not None or self._decoder.has_size
        """Whether it is a file, here or on a server, and no camera."""
        self.first_timestamp = 0.0
        """The time of the first frame on the clock of the file, in seconds, once it is read."""
        self.failure = ""
        """The reason why the source was lost: none. A stream may have one."""
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
                f"{self.name} has no frame that can be read: it is empty, cut off or broken; expected a complete video"
            )

    def _read_frame(self) -> Frame | None:
        decoded = self._decoder.read()
        if decoded is None:
            return None
        image, timestamp = decoded
        seconds = self._clock.advance(timestamp)
        if not self._frames_read and math.isfinite(timestamp):
            self.first_timestamp = timestamp
        self._frames_read += 1
        return Frame(self._frames_read - 1, seconds, image)

    @property
    def seconds(self) -> float:
        """The time at which the last frame that was read ends."""
        return self._clock.seconds + 1 / self.frame_rate if self._frames_read else 0.0

    @property
    def missing_frames(self) -> int:
        """The number of declared frames that are missing at the end, once all are read. 0 if the file is sound."""
        if self.declared_frames is None or self._frames_read >= self.declared_frames - FRAME_SLACK:
            return 0
        # With a varying rate the number may be guessed from the length. Then only the length can be trusted.
        ends_early = self._clock.seconds + (FRAME_SLACK + 1) / self.frame_rate < self.declared_frames / self.frame_rate
        return self.declared_frames - self._frames_read if ends_early else 0

    @property
    def sound(self) -> Sound | None:
        """The sound, once the first frame is read. None for streams, which cannot be opened twice, and with OpenCV."""
        readable = self._decoder.has_sound and "://" not in self.location
        return Sound(self.location, self.name, self.first_timestamp) if readable else None

    def close(self) -> None:
        """Close the video."""
        self._decoder.close()

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
