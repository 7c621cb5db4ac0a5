"""Faces in frame after frame: boxes move with them, and the model classifies those that are due."""

import time
from contextlib import closing

import numpy as np
import pytest

from emotion.data.images import ImageError
from emotion.faces.detection import Box, Detection
from emotion.inference.predictor import Face
from emotion.inference.tracking import CONFIRM_WITHIN, LEVEL_EVERY, FaceTracker
from emotion.inference.video_reader import Frame
from tests.inference.textures import moved, texture

DETECTION = Detection(Box(120, 80, 60, 60))


class FakePredictor:
    """Has the detections and scores that a test sets, and counts searches and classified faces."""

    def __init__(self, detections=(DETECTION,), scores=(0.25, 0.75)):
        self.detections, self.scores = list(detections), list(scores)
        self.searches, self.leveled, self.classified = 0, 0, 0
        self.cropped: list[Detection] = []

    def detect(self, image, *, level=True):
        self.searches += 1
        self.leveled += level
        return [one if level else one._replace(tilt=0.0) for one in self.detections]

    def crop(self, image, detection):
        self.cropped.append(detection)
        return np.zeros((8, 8, 1), np.uint8)

    def probabilities(self, crops):
        self.classified += len(crops)
        return np.array([self.scores] * len(crops))

    def make_faces(self, detections, probabilities):
        pairs = zip(detections, probabilities, strict=True)
        return [Face(one.box, row, ("no", "yes")[int(row.argmax())], float(row.max())) for one, row in pairs]


def track(predictor, rate=30, frames=31, image=None, **options):
    """Return the tracked faces of each frame of a still video."""
    tracker = FaceTracker(predictor, **options)
    image = texture() if image is None else image
    return [tracker.update(image, number / rate) for number in range(frames)]


@pytest.mark.parametrize("rate, every", [(30, 5), (10, 2), (60, 9), (240, 36), (2, 1)])
def test_searches_depend_on_time_alone(rate, every):
    predictor = FakePredictor()
    frames = track(predictor, rate, 3 * every, search_every=0.15)
    assert [faces[0].detected for faces in frames] == [frame % every == 0 for frame in range(3 * every)]
    assert predictor.searches == 3


def test_every_frame_is_searched_by_default():
    assert all(faces[0].detected for faces in track(FakePredictor()))


@pytest.mark.parametrize("rate, every", [(30, 5), (10, 2), (240, 36)])
def test_tilts_are_measured_now_and_then(rate, every):
    predictor = FakePredictor([Detection(Box(120, 80, 60, 60), 0.3)])
    track(predictor, rate, 3 * every)
    assert (predictor.searches, predictor.leveled) == (3 * every, 3)
    assert {one.tilt for one in predictor.cropped} == {0.3}


def test_tilts_are_measured_in_each_frame_that_is_read_as_an_image():
    predictor = FakePredictor()
    track(predictor, half_life=0)
    assert predictor.leveled == predictor.searches


def test_a_new_face_is_level_until_its_tilt_is_measured():
    predictor = FakePredictor([])
    tracker = FaceTracker(predictor)
    tracker.update(texture(), 0.0)
    predictor.detections = [Detection(Box(120, 80, 60, 60), 0.3)]
    for seconds in (0.03, 0.06, LEVEL_EVERY):
        tracker.update(texture(), seconds)
    assert [one.tilt for one in predictor.cropped] == [0.0, 0.3]


@pytest.mark.parametrize("options", [{}, {"search_every": 0.15}, {"half_life": 0}, {"classify_every": 3}])
def test_a_video_is_tracked_as_its_frames_one_by_one_are(options):
    class Brightest(FakePredictor):
        def detect(self, image, *, level=True):
            y, x = np.unravel_index(image[:, :, 0].argmax(), image.shape[:2])
            time.sleep(0.002 * (x % 3))
            return [Detection(Box(int(x), int(y), 60, 60), 0.2 if level else 0.0)]

    rng = np.random.default_rng(1)
    images = [rng.integers(0, 255, (120, 160, 3), dtype=np.uint8) for _ in range(20)]
    frames = [Frame(number, number / 30, image) for number, image in enumerate(images)]
    tracker, one_by_one = FaceTracker(Brightest(), **options), FaceTracker(Brightest(), **options)
    for number, (frame, tracked) in enumerate(tracker.track(iter(frames))):
        assert frame is frames[number]
        expected = one_by_one.update(frame.image, frame.seconds)
        assert [(one.number, one.face.box, one.detected) for one in tracked] == [
            (one.number, one.face.box, one.detected) for one in expected
        ]


def test_an_error_of_a_search_ahead_is_raised_at_its_frame(monkeypatch):
    def fail(image, *, level=True):
        raise ImageError("no image")

    predictor = FakePredictor()
    monkeypatch.setattr(predictor, "detect", fail)
    tracked = FaceTracker(predictor).track([Frame(0, 0.0, texture())])
    with closing(tracked), pytest.raises(ImageError, match="no image"):
        next(tracked)


@pytest.mark.parametrize("every", [1, 2, 10])
def test_the_model_classifies_every_nth_frame(every):
    predictor = FakePredictor()
    frames = track(predictor, frames=20, classify_every=every)
    assert predictor.classified == 20 / every
    assert all(faces[0].face.confidence == 0.75 for faces in frames)


def test_a_new_face_is_classified_at_once():
    predictor = FakePredictor()
    tracker = FaceTracker(predictor, classify_every=100, search_every=0)
    tracker.update(texture(), 0.0)
    predictor.detections.append(Detection(Box(20, 20, 50, 50)))
    tracker.update(texture(), 0.1)
    assert [tracked.number for tracked in tracker.update(texture(), 0.2)] == [1, 2]
    assert predictor.classified == 2


def test_the_first_frame_is_predicted_as_an_image_is():
    predictor = FakePredictor([Detection(Box(121, 80, 61, 63), 0.3)])
    [tracked] = FaceTracker(predictor).update(texture(), 0.0)
    assert tracked.face.box == (121, 80, 61, 63)
    assert predictor.cropped == predictor.detections
    assert tracked.face.probabilities.tolist() == [0.25, 0.75]
    assert (tracked.number, tracked.detected) == (1, True)


def test_a_box_that_moved_is_cropped_with_its_tilt():
    predictor = FakePredictor([Detection(Box(120, 80, 60, 60), 0.3)])
    tracker = FaceTracker(predictor, search_every=10)
    tracker.update(texture(), 0.0)
    tracker.update(moved(texture(), (8, 0)), 0.03)
    assert predictor.cropped[1] == ((128, 80, 60, 60), 0.3)


def test_boxes_move_with_the_face_between_searches():
    image, predictor = texture(), FakePredictor()
    tracker = FaceTracker(predictor, search_every=10)
    boxes = [tracker.update(moved(image, (3 * frame, frame)), frame / 30)[0].face.box for frame in range(12)]
    assert predictor.searches == 1
    np.testing.assert_allclose(boxes, [[120 + 3 * frame, 80 + frame, 60, 60] for frame in range(12)], atol=1)


def test_a_smoothed_box_does_not_lag_behind_a_face_that_moves():
    image, predictor = texture(), FakePredictor()
    tracker = FaceTracker(predictor, search_every=0)
    for frame in range(20):
        predictor.detections = [Detection(Box(60 + 5 * frame, 80, 60, 60))]
        [tracked] = tracker.update(moved(image, (5 * frame, 0)), frame / 30)
        assert abs(tracked.face.box.x - (60 + 5 * frame)) <= 1


def test_another_scene_is_searched_in_its_first_frame():
    predictor = FakePredictor()
    tracker = FaceTracker(predictor, search_every=10)
    tracker.update(texture(), 0.0)
    predictor.detections = []
    assert tracker.update(texture(seed=3), 0.03) == []
    assert predictor.searches == 2
    assert tracker.update(texture(seed=4), 0.06) == []
    assert predictor.searches == 2


def test_a_tentative_face_does_not_wait_for_a_rare_search():
    predictor = FakePredictor()
    tracker = FaceTracker(predictor, search_every=100)
    tracker.update(texture(), 0.0)
    predictor.detections.append(Detection(Box(20, 20, 50, 50)))
    tracker.update(texture(), 100.0)
    assert len(tracker.update(texture(), 100 + CONFIRM_WITHIN)) == 2


def test_detections_of_an_earlier_frame_move_to_this_one():
    image = texture()
    tracker = FaceTracker(FakePredictor())
    searched = tracker.propagate(image)
    current = moved(image, (12, -6))
    tracker.propagate(moved(image, (6, -3)))
    tracker.propagate(current)
    tracker.set_detections([DETECTION], 0.0, frame=searched)
    [tracked] = tracker.classify(current, 0.1)
    np.testing.assert_allclose(tracked.face.box, [132, 74, 60, 60], atol=1)


def test_frames_may_change_their_size():
    tracker = FaceTracker(FakePredictor())
    assert tracker.update(texture(), 0.0)
    assert tracker.update(texture((480, 640)), 0.03)[0].detected


def test_frames_without_faces_have_none():
    predictor = FakePredictor([])
    assert track(predictor) == [[]] * 31
    assert predictor.classified == 0


def test_emotions_are_smoothed_before_they_are_named():
    predictor = FakePredictor(scores=(0.1, 0.9))
    tracker = FaceTracker(predictor, half_life=0.25)
    tracker.update(texture(), 0.0)
    predictor.scores = [0.9, 0.1]
    faces = [tracker.update(texture(), 0.05 * frame)[0].face for frame in range(1, 11)]
    named = [face.emotion for face in faces]
    assert named == sorted(named, reverse=True)  # yes, and from some frame on no
    assert named.count("yes") == 4
    np.testing.assert_allclose(faces[4].probabilities, [0.5, 0.5])
