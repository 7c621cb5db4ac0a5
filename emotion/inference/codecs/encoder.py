"""The encoder of a video, whatever the library."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

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
