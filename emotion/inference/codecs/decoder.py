"""The decoder of a video: PyAV's where it is installed, else OpenCV's."""

from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

REMEDY = "pip install 'facial-emotion-pipeline[video]'"
"""The command that installs PyAV."""


FRAME_RATES = (0.1, 240.0)
"""Lowest and highest frames per second that count as plausible."""


class Decoder(Protocol):
    """Decodes the frames of a video one after another.

    Attributes:
        frame_rate: frames per second, on average, as the video declares it. It may be implausible.
        declared_frames: the number of frames that the video declares, or 0. Some containers only estimate it.
        sound: whether the video has sound; None if that is not known.
    """

    frame_rate: float
    declared_frames: float
    sound: bool | None

    def read(self) -> "tuple[np.ndarray, float] | None":
        """Return the next frame and its timestamp in seconds, or None at the end.

        The frame is uint8 (height, width, 3), RGB, as it is to be shown: with square pixels, rotated and not
        interlaced. The timestamp is NaN if the frame has none.
        """

    def close(self) -> None:
        """Close the video."""


def open_decoder(location: str, name: str, *, timeouts: tuple[float, float] | None = None) -> Decoder:
    """Return the decoder of a video.

    Args:
        location: the absolute path of a file, or a URL.
        name: names the video in messages.
        timeouts: seconds that a stream has to open, and from one read to the next.

    Raises:
        InputError: there is no video that can be read.
    """
    if has_pyav():
        from emotion.inference.codecs.pyav_decoder import PyAvDecoder

        return PyAvDecoder(location, name, timeouts=timeouts)
    from emotion.inference.codecs.opencv_decoder import OpenCvDecoder

    return OpenCvDecoder(location, name, timeouts=timeouts)


def is_plausible_rate(frame_rate: float) -> bool:
    """Return whether a video may have so many frames per second. Raw DV, for instance, declares 60,000."""
    return FRAME_RATES[0] <= frame_rate <= FRAME_RATES[1]


@cache
def has_pyav() -> bool:
    """Return whether PyAV, the extra `[video]`, is installed."""
    try:
        import av  # noqa: F401
    except ImportError:
        return False
    return True
