"""A meter of frames per second, smoothed."""

from emotion.inference.box_tracking import smoothing_weight

FPS_HALF_LIFE = 0.5
"""Seconds in which half of a change shows."""


class FpsMeter:
    """Measures frames per second."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._interval: float | None = None

    @property
    def fps(self) -> float:
        """Frames per second; 0 until there are two frames."""
        return 1 / self._interval if self._interval else 0.0

    def update(self, seconds: float) -> None:
        """Count a frame that came at `seconds`."""
        interval = 0.0 if self._last is None else seconds - self._last
        self._last = seconds
        if interval > 0:
            weight = smoothing_weight(interval, FPS_HALF_LIFE)
            self._interval = interval if self._interval is None else (1 - weight) * self._interval + weight * interval
