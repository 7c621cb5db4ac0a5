"""The loop shows the camera until a key, its end or an error ends it."""

import threading
import time

import pytest

from benchmarks.frame_speed import portrait_frame
from emotion.app.webcam import live
from emotion.app.webcam.camera import Camera
from emotion.app.webcam.display import Display
from emotion.app.webcam.live import run_webcam
from emotion.core.errors import InputError
from tests.clips import FRAMES, RATE, SIZE, plain_image, read_frames

pytestmark = [pytest.mark.usefixtures("dummy_display"), pytest.mark.medium]


def run_images(images, predictor, monkeypatch, **options):
    """Run with a camera that has `images`, an iterable, one by one."""
    monkeypatch.setattr(live, "open_camera", lambda *_, **__: Camera("test", lambda _: iter(images), one_by_one=True))
    return run_webcam("test", lambda: predictor, **options)


def test_it_ends_with_the_file(clip, predictor):
    assert run_webcam(str(clip), lambda: predictor, paced=False) == FRAMES


def test_q_ends_it(astronaut, predictor, monkeypatch, press_keys):
    def images():
        for number in range(1000):
            if number == 5:
                press_keys("q")
            yield portrait_frame(astronaut, number / RATE, SIZE)

    assert run_images(images(), predictor, monkeypatch) in range(4, 8)


def test_q_ends_it_before_the_first_image_and_loads_no_model(monkeypatch, press_keys):
    import pygame

    end = threading.Event()

    def images():
        while pygame.display.get_surface() is None:
            time.sleep(0.01)
        press_keys("q")
        end.wait(9)
        yield plain_image()

    monkeypatch.setattr(live, "open_camera", lambda *_, **__: Camera("test", lambda _: images()))
    assert run_webcam("test", lambda: pytest.fail("loaded the model")) == 0
    end.set()


def test_a_pause_shows_no_new_images(predictor, monkeypatch, press_keys):
    def images():
        for number in range(30):
            if number == 10:
                press_keys("space")
            yield plain_image(number)

    assert run_images(images(), predictor, monkeypatch) in range(9, 13)


def test_keys_are_answered_while_the_camera_is_slow(predictor, monkeypatch, press_keys):
    def images():
        yield plain_image()
        time.sleep(0.2)
        press_keys("q")
        time.sleep(9)
        yield plain_image()

    start = time.monotonic()
    assert run_images(images(), predictor, monkeypatch) == 1
    assert time.monotonic() - start < 7


def test_faces_show(clip, predictor, monkeypatch):
    shown = []
    set_frame = Display.set_frame

    def set_frame_slowly(display, frame, tracked_faces):
        shown.append(tracked_faces)
        time.sleep(0.02)
        set_frame(display, frame, tracked_faces)

    # On a busy machine a search can take longer than the whole clip.
    detections = predictor.detect(read_frames(clip)[0].image)
    monkeypatch.setattr(predictor, "detect", lambda image, **_: detections)
    monkeypatch.setattr(Display, "set_frame", set_frame_slowly)
    run_webcam(str(clip), lambda: predictor, paced=False)
    assert shown[0] == []  # the first search has just begun
    assert [tracked.number for tracked in shown[-1]] == [1]


def test_a_model_that_cannot_be_loaded_ends_it(clip):
    def fail():
        raise InputError("no model")

    with pytest.raises(InputError, match="no model"):
        run_webcam(str(clip), fail)
