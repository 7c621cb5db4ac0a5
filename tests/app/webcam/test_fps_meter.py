"""Frames per second are smoothed."""

import pytest

from emotion.app.webcam.fps_meter import FpsMeter


def test_frames_per_second_are_smoothed():
    meter = FpsMeter()
    assert meter.fps == 0
    for frame in range(61):
        meter.update(frame / 30)
    assert meter.fps == pytest.approx(30)
    meter.update(3.0)
    assert 1 < meter.fps < 30
