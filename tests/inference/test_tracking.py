"""Faces in frame after frame: boxes move with them, and the model classifies those that are due."""

import numpy as np
import pytest

from emotion.faces.detection import Box, Detection
from emotion.inference.defaults import SEARCH_EVERY
from emotion.inference.predictor import Face
from emotion.inference.tracking import FaceTracker
from tests.inference.textures import moved, texture

DETECTION = Detection(Box(120, 80, 60, 60))


class FakePredictor:
    """Has the detections and scores that a test sets, and counts searches and classified faces."""

    def __init__(self, detections=(DETECTION,), scores=(0.25, 0.75)):
        self.detections, self.scores = list(detections), list(scores)
        self.searches, self.classified = 0, 0
        self.cropped: list[Detection] = []

    def detect(self, image):
        self.searches += 1
        return list(self.detections)

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
    frames = track(predictor, rate, 3 * every)
    assert [faces[0].detected for faces in frames] == [frame % every == 0 for frame in range(3 * every)]
    assert predictor.searches == 3


def test_there_can_be_a_search_in_every_frame():
    assert all(faces[0].detected for faces in track(FakePredictor(), search_every=0))


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
    tracker = FaceTracker(predictor)
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
    assert len(tracker.update(texture(), 100 + SEARCH_EVERY)) == 2


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
