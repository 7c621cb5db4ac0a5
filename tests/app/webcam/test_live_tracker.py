"""Frames do not wait for a search, and its detections move to the newest frame."""

import threading
import time

import numpy as np
import pytest

from benchmarks.frame_speed import portrait_frame
from emotion.app.webcam.live_tracker import LiveTracker
from emotion.core.errors import InputError
from tests.clips import RATE, SIZE, plain_image


def test_a_still_face_is_predicted_as_an_image_is(astronaut, predictor):
    image = portrait_frame(astronaut, 0.0, SIZE)
    [expected] = predictor.predict(image)
    with LiveTracker(predictor) as tracker:
        tracked_faces = track_until_found(tracker, image)
        for frame in range(10):
            [tracked] = tracked_faces
            np.testing.assert_array_equal(tracked.face.box, expected.box)
            np.testing.assert_allclose(tracked.face.probabilities, expected.probabilities, atol=1e-9)
            tracked_faces = tracker.update(image, 100 + frame / 30)


def track_until_found(tracker, image):
    for frame in range(500):
        tracked_faces = tracker.update(image, frame / 30)
        if tracked_faces:
            return tracked_faces
        time.sleep(0.01)
    return []


def test_detections_of_an_earlier_frame_move_to_the_newest(astronaut, predictor, monkeypatch):
    may_finish = threading.Event()
    detect = predictor.detect

    def detect_slowly(image, **options):
        may_finish.wait(10)
        return detect(image, **options)

    monkeypatch.setattr(predictor, "detect", detect_slowly)
    with LiveTracker(predictor) as tracker:
        for number in range(4):
            assert tracker.update(portrait_frame(astronaut, number / RATE, SIZE), number / RATE) == []
        may_finish.set()
        assert tracker._search is not None
        tracker._search.detections.result(10)
        image = portrait_frame(astronaut, 4 / RATE, SIZE)
        [tracked] = tracker.update(image, 4 / RATE)
    [expected] = detect(image)
    assert tracked.detected
    np.testing.assert_allclose(tracked.face.box, expected.box, atol=3)


def test_an_error_of_the_search_is_raised(predictor, monkeypatch):
    def fail(image, **_):
        raise InputError("no detector")

    monkeypatch.setattr(predictor, "detect", fail)
    with LiveTracker(predictor) as tracker:
        tracker.update(plain_image(), 0.0)
        assert tracker._search is not None
        tracker._search.detections.exception(10)
        with pytest.raises(InputError, match="no detector"):
            tracker.update(plain_image(), 0.03)
