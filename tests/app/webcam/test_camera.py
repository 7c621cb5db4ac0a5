"""The newest image of the camera, and a clear end whatever happens to it."""

import threading
import time

import cv2
import pytest

from emotion.app.webcam.camera import Camera
from emotion.core.errors import InputError
from tests.app.webcam.frames import take_frame
from tests.clips import plain_image

pytestmark = pytest.mark.medium


def test_the_newest_image_comes_and_those_before_do_not():
    all_read = threading.Event()

    def images(_):
        yield from map(plain_image, range(50))
        all_read.set()
        threading.Event().wait(5)

    with Camera("test", images) as camera:
        all_read.wait(5)
        frame = take_frame(camera)
        assert (frame.number, frame.image[0, 0, 0]) == (49, 49)
        assert camera.newest_frame(after=49, timeout=0.01) is None


def test_images_can_wait_until_they_are_taken():
    with Camera("test", lambda _: map(plain_image, range(20)), one_by_one=True) as camera:
        assert [take_frame(camera, after).number for after in range(-1, 19)] == list(range(20))
        assert camera.newest_frame(after=19, timeout=1) is None
        assert camera.ended


def test_waiting_for_the_first_frame_takes_no_image():
    with Camera("test", lambda _: map(plain_image, range(3)), one_by_one=True) as camera:
        assert camera.wait_for_first_frame(timeout=1)
        time.sleep(0.05)
        assert take_frame(camera).number == 0


def test_a_camera_that_hangs_on_opening_is_given_up():
    hang = threading.Event()

    def images(_):
        hang.wait(10)
        yield plain_image()

    with Camera("7", images, first_image_timeout=0.2) as camera:
        time.sleep(0.25)
        with pytest.raises(InputError, match=r"camera 7\b.*0\.2 seconds.*--wait"):
            camera.wait_for_first_frame(timeout=0.01)
    hang.set()


def test_a_camera_without_new_images_is_given_up():
    hang = threading.Event()

    def images(_):
        yield plain_image()
        hang.wait(10)

    with Camera("7", images, silence_timeout=0.2) as camera:
        assert take_frame(camera)
        with pytest.raises(InputError, match=r"camera 7\b.*0\.2 seconds.*plugged in"):
            camera.newest_frame(after=0, timeout=0.3)
    hang.set()


def test_an_error_in_the_thread_is_raised_after_the_last_image():
    def images(_):
        yield plain_image()
        raise InputError("it burns")

    with Camera("test", images) as camera:
        time.sleep(0.05)
        assert camera.newest_frame(after=-1, timeout=1)
        with pytest.raises(InputError, match="it burns"):
            camera.newest_frame(after=0, timeout=1)


def test_leaving_does_not_wait_for_a_thread_that_is_stuck():
    hang = threading.Event()

    def images(_):
        hang.wait(10)
        yield plain_image()

    start = time.monotonic()
    with Camera("test", images):
        pass
    assert time.monotonic() - start < 2
    hang.set()


def test_an_error_of_opencv_is_a_problem_of_the_camera():
    def images(_):
        yield plain_image()
        raise cv2.error("select() timeout")

    with Camera("7", images) as camera:
        assert take_frame(camera)
        with pytest.raises(InputError, match=r"camera 7\b.*select\(\) timeout"):
            camera.newest_frame(after=0, timeout=5)
