"""The encoder of a video: PyAV's where it is installed, else OpenCV's."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from emotion.inference.codecs.decoder import has_pyav

if TYPE_CHECKING:
    import numpy as np


CODECS = {".mp4": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
"""The suffixes of files that are written, and the codec that OpenCV uses for them. PyAV writes H.264 but in .avi."""


class Sound(NamedTuple):
    """The sound of a video, to be copied into another one.

    Attributes:
        path: the absolute path of the file.
        name: names the file in messages.
        first_frame: the time of the video's first frame on the clock of the file, in seconds.
    """

    path: str
    name: str
    first_frame: float


class Encoder(Protocol):
    """Writes frames to a video file."""

    def write(self, frame: "np.ndarray", seconds: float) -> None:
        """Show `frame`, uint8 (height, width, 3), RGB, from `seconds` on.

        Raises:
            OSError: the disk is full.
            InputError: the file may not grow.
        """

    def close(self, *, complete: bool) -> None:
        """End the file. With `complete`, check that it holds all frames, and copy the rest of the sound before.

        Raises:
            OSError: the disk is full.
            InputError: the file does not hold all frames.
        """


def open_encoder(path: Path, size: tuple[int, int], frame_rate: float, sound: Sound | None) -> Encoder:
    """Return the encoder of a new video. Only PyAV's copies sound.

    Args:
        path: the file; its suffix decides the format.
        size: height and width of the frames, both even.
        frame_rate: frames per second, on average.
        sound: what is to be heard.

    Raises:
        InputError: such a file cannot be written there, or the format cannot hold the sound.
    """
    if has_pyav():
        from emotion.inference.codecs.pyav_encoder import PyAvEncoder, can_encode

        if can_encode(path):
            return PyAvEncoder(path, size, frame_rate, sound)
    from emotion.inference.codecs.opencv_encoder import OpenCvEncoder

    return OpenCvEncoder(path, size, frame_rate)
