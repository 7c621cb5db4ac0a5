"""Frames come with their number, their time and their colors."""

import numpy as np
import pytest

from emotion.inference.video_reader import LONGEST_GAP, FrameClock, VideoReader
from tests.clips import noise_images, read_frames, write_video


def test_frames_come_with_number_time_and_colors(here):
    colors = [(200, 40, 40), (40, 200, 40), (40, 40, 200)]
    images = [np.full((48, 64, 3), color, np.uint8) for color in colors]
    frames = read_frames(write_video(here / "colors.avi", images, 25))
    assert [frame.number for frame in frames] == [0, 1, 2]
    np.testing.assert_allclose([frame.seconds for frame in frames], [0, 0.04, 0.08], atol=1e-6)
    for frame, image in zip(frames, images, strict=True):
        np.testing.assert_allclose(frame.image, image, atol=6)


def test_implausible_timestamps_are_replaced():
    clock = FrameClock(25)
    timestamps = [5.0, 5.04, 5.04, 4.0, 5.5, float("nan"), 1e9, 6.0]
    times = [clock.advance(timestamp) for timestamp in timestamps]
    np.testing.assert_allclose(times, [0, 0.04, 0.08, 0.12, 0.5, 0.54, 0.58, 1.0])
    assert clock.advance(5 + 1.0 + LONGEST_GAP) == pytest.approx(1 + LONGEST_GAP)


def test_a_video_without_timestamps_goes_by_its_rate():
    clock = FrameClock(10)
    np.testing.assert_allclose([clock.advance(0.0) for _ in range(4)], [0, 0.1, 0.2, 0.3])


@pytest.mark.parametrize("file_format", ["mp4", "avi", "mkv"])
def test_sound_videos_miss_no_frames(file_format, here):
    path = write_video(here / f"video.{file_format}", noise_images(20))
    with VideoReader(path) as reader:
        assert len(list(reader)) == 20
        assert reader.missing_frames == 0
