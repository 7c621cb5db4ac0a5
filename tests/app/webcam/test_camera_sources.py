"""A file plays the camera frame by frame, and a camera that is missing or in use is named."""

import sys
import threading
import time
from itertools import cycle

import numpy as np
import pytest

from emotion.app.webcam import camera_sources
from emotion.app.webcam.camera_sources import open_camera
from emotion.core.errors import InputError
from tests.app.webcam.frames import take_frame
from tests.clips import FRAMES, RATE, read_frames

BLUE = np.full((4, 6, 3), (255, 0, 0), np.uint8)
"""A frame as OpenCV has it: BGR."""


def test_a_file_plays_at_its_own_pace_and_from_its_start(clip):
    with open_camera(str(clip)) as camera:
        assert camera.wait_for_first_frame(timeout=5)
        time.sleep(0.3)
        assert camera.last_number == 0  # it does not play yet
        camera.start_playing()
        start, last = time.monotonic(), -1
        while not (camera.ended and last == camera.last_number):
            frame = camera.newest_frame(after=last, timeout=1)
            last = last if frame is None else frame.number
        assert time.monotonic() - start >= (FRAMES - 2) / RATE
        assert last == FRAMES - 1


def test_a_file_has_its_frames_as_they_are(clip):
    with open_camera(str(clip), paced=False) as camera:
        camera.start_playing()
        for number, frame in enumerate(read_frames(clip)):
            np.testing.assert_array_equal(take_frame(camera, number - 1).image, frame.image)


def test_a_file_can_be_played_again_and_again(clip):
    with open_camera(str(clip), paced=False, loop=True) as camera:
        camera.start_playing()
        for number in range(2 * FRAMES + 3):
            assert take_frame(camera, number - 1).number == number


@pytest.mark.parametrize(
    "source, problem",
    [
        ("missing.mp4", r"--camera: got missing\.mp4, expected .*number .*file"),
        ("-1", "--camera: got -1, expected .*number .*file"),
        ("text.mp4", r"text\.mp4 .*expected .*video"),
        ("empty.mp4", r"empty\.mp4 .*empty.*expected .*video"),
    ],
)
def test_what_is_no_camera_is_refused(source, problem, here):
    (here / "text.mp4").write_text("no video\n" * 9, encoding="utf-8")
    (here / "empty.mp4").touch()
    with pytest.raises(InputError, match=problem):
        open_camera(source)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="where Linux has its cameras")
@pytest.mark.parametrize(
    "there, problem",
    [
        ([], r"no camera 97\b.*machine has none.*--camera"),
        (["video2", "video0"], r"no camera 97\b.*expected one of 0, 2\b.*--camera"),
        (["video97"], "video97 .*--camera"),
    ],
)
@pytest.mark.parametrize("source", ["97", "/dev/video97"])
def test_a_missing_camera_is_named_with_those_that_are_there(source, there, problem, tmp_path, monkeypatch, capfd):
    for name in there:
        (tmp_path / name).touch()
    monkeypatch.setattr(camera_sources, "DEVICES_FOLDER", tmp_path)
    with open_camera(source) as camera, pytest.raises(InputError, match=problem):
        camera.wait_for_first_frame(timeout=5)
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="where Linux has its cameras")
def test_a_camera_in_use_is_named(tmp_path, monkeypatch, capfd):
    # A device that may be used and does not open as a camera, just as one that is in use.
    (tmp_path / "video97").symlink_to("/dev/null")
    monkeypatch.setattr(camera_sources, "DEVICES_FOLDER", tmp_path)
    problem = "camera 97 cannot be opened.*other programs.*video97.*--camera"
    with open_camera("97") as camera, pytest.raises(InputError, match=problem):
        camera.wait_for_first_frame(timeout=5)
    assert capfd.readouterr().err == ""


def test_a_device_outside_dev_video_is_named_with_what_to_look_at(monkeypatch):
    with open_camera("/dev/null") as camera, pytest.raises(InputError, match=r"/dev/null cannot be opened.*plug it in"):
        camera.wait_for_first_frame(timeout=5)


def test_a_camera_of_another_group_is_named_with_the_group(tmp_path, monkeypatch):
    (tmp_path / "video97").symlink_to("/dev/null")
    monkeypatch.setattr(camera_sources, "DEVICES_FOLDER", tmp_path)
    monkeypatch.setattr("os.access", lambda *_: False)
    with open_camera("97") as camera, pytest.raises(InputError, match=r"camera 97\b.*group of .*video97.*`video`"):
        camera.wait_for_first_frame(timeout=5)


class Device:
    """A camera of OpenCV. Every second of its frames does not come."""

    def __init__(self, _):
        self.frames = cycle([(True, BLUE), (False, None)])
        self.released = threading.Event()

    def isOpened(self):
        return True

    def set(self, *_):
        return True

    def read(self):
        return next(self.frames)

    def release(self):
        self.released.set()


def test_a_device_goes_on_after_a_frame_that_does_not_come_and_is_released_at_the_end(monkeypatch):
    device = Device(0)
    monkeypatch.setattr("cv2.VideoCapture", lambda _: device)
    with open_camera("0") as camera:
        assert take_frame(camera, 1).image[0, 0].tolist() == [0, 0, 255]
        assert not device.released.is_set()
    assert device.released.wait(5)
