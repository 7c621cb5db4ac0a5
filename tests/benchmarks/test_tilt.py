"""What the figures of benchmarks/tilt.py rest on: turned and scaled faces, the crops and the fit."""

import math

import numpy as np
import pytest

from benchmarks import tilt
from benchmarks.detection import turn_around
from benchmarks.tilt import TurnedFace, UprightFace
from emotion.faces.close_look import HINT_WEIGHTS, LEAST_HINT
from emotion.faces.detection import Landmarks, RawDetection

SIDE = 40


@pytest.fixture
def face():
    """A square of two halves in a gray image, the upper one white."""
    image = np.full((200, 300, 1), 128, np.uint8)
    image[80:100, 130:170], image[100:120, 130:170] = 255, 0
    return UprightFace(image, np.array([150.0, 100.0]), SIDE, "happy")


@pytest.mark.parametrize("side", [20, 40, 80])
def test_a_shown_face_is_turned_and_has_its_size(face, side):
    shown = tilt.show_face(face, side, 90, 2.0)
    assert shown.shape == (2 * side, 2 * side, 1)
    quarter, middle = side // 4, side
    assert (shown[middle, middle + quarter], shown[middle, middle - quarter]) == (255, 0)
    assert abs(int(shown[middle, middle + side * 3 // 4, 0]) - 128) < 5


def test_crops_are_leveled_by_the_given_tilts(face):
    turned = turn_around(face.image, face.center, 90, 300)
    raw = RawDetection(130, 130, SIDE, SIDE, 1.0)
    faces = [TurnedFace(turned, raw, math.pi / 2, 0.0, "happy")] * 2
    leveled, as_found = tilt.crop_faces(faces, [math.pi / 2, 0.0], 48)
    assert leveled[:20, 20:28].mean() > 200 > 100 > leveled[28:40, 20:28].mean()
    assert as_found[20:28, 28:40].mean() > 200 > 100 > as_found[20:28, 8:20].mean()


def test_every_second_face_is_turned_to_the_left(face, monkeypatch):
    points = Landmarks((140, 140), (160, 140), (150, 150), (140, 160), (160, 160))

    class CentralDetector:
        def __init__(self, smallest):
            pass

        def detect_raw(self, image):
            middle = len(image) / 2
            return [RawDetection(middle - 20, middle - 20, SIDE, SIDE, 1.0, points)] if image.max() == 255 else []

    monkeypatch.setattr(tilt, "YuNetDetector", CentralDetector)
    dark = face._replace(image=np.zeros_like(face.image))
    found, looks = tilt.find_turned([face, face, dark], 20, 40)
    assert np.degrees([one.angle for one in found]) == pytest.approx([-20, 20])
    assert [one.tilt for one in found] == [0.0, 0.0]
    assert looks == 0, "landmarks that show no tilt need no look"


@pytest.mark.medium
def test_looks_are_counted(face, monkeypatch):
    leaning = Landmarks((140, 150), (160, 160), (150, 155), (135, 165), (155, 175))
    monkeypatch.setattr(
        tilt, "detect_central", lambda *arguments: RawDetection(130, 130, SIDE, SIDE, 1.0, leaning, SIDE)
    )
    found, looks = tilt.find_turned([face, face], 20, 40)
    assert looks == 2, "one for each face, since none shows a face to YuNet"
    assert [one.tilt for one in found] == [0.0, 0.0]


def test_the_fit_finds_the_weights():
    tilts = np.random.default_rng(0).normal(size=(50, 3))
    assert tilt.fit_weights(tilts, np.degrees(tilts @ [3.0, 0.5, -1.0]).tolist()) == pytest.approx([3.0, 0.5, -1.0])


@pytest.mark.medium
def test_looks_are_counted_from_the_least_estimate_on():
    tilts = np.array([[1, 0, 0], [0, 0, 0], [-1, 0, 0], [0, 1, 0.9]]) * LEAST_HINT
    assert tilt.share_of_looks(tilts, [1, 0, 1]) == 0.5


def test_fitted_weights_get_as_many_looks_at_the_matched_angle():
    generator = np.random.default_rng(0)
    hints = {angle: generator.normal(np.radians([angle * 0.1] * 3), 0.03, (200, 3)) for angle in (-20, 0, 20)}
    matched = tilt.join_sides(hints, 20)
    assert matched.shape == (400, 3)
    shares = [tilt.share_of_looks(matched, weights) for weights in (tilt.fit_hint_weights(hints), HINT_WEIGHTS)]
    assert shares[0] == pytest.approx(shares[1], abs=0.01)
