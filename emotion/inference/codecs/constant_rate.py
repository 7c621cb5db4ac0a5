"""Frames of a varying rate fitted to a file of constant rate."""

from collections.abc import Iterator

import numpy as np


class ConstantRate:
    """Repeats frames and leaves frames out, so that each is shown at its time.

    Args:
        frame_rate: frames per second of the file.
    """

    def __init__(self, frame_rate: float) -> None:
        self._rate = frame_rate
        self._last_frame: np.ndarray | None = None
        self.count = 0
        """The number of frames so far."""

    def fit(self, frame: np.ndarray, seconds: float) -> Iterator[np.ndarray]:
        """Yield the frames to write next, so that `frame` is shown from `seconds` on."""
        index = max(0, round(seconds * self._rate))
        while self._last_frame is not None and self.count < index:
            self.count += 1
            yield self._last_frame
        if self.count <= index:
            self.count += 1
            yield frame
        self._last_frame = frame
