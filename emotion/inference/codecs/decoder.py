"""The decoder of a video, whatever the library."""

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
        has_size: whether the size of its file is known, also by HTTP. It is not of a camera, and never with OpenCV.
        has_sound: whether the video has sound. Always false with OpenCV, which does not read any.
    """

    frame_rate: float
    declared_frames: float
    has_size: bool
    has_sound: bool

    def read(self) -> "tuple[np.ndarray, float] | None":
        """Return the next frame and its timestamp in seconds, or None at the end.

        The frame is uint8 (height, width, 3), RGB, as it is to be shown: with square pixels, rotated and not
        interlaced. The timestamp is NaN if the frame has none.
        """

    def close(self) -> None:
        """Close the video."""


def is_plausible_rate(frame_rate: float) -> bool:
    """Return whether a video may have so many frames per second. Raw DV, for instance, declares 60,000."""
    return FRAME_RATES[0] <= frame_rate <= FRAME_RATES[1]
