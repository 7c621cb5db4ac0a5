"""What the figures of benchmarks/framing.py rest on: where it pastes images, and what it counts as their face."""

import math

import cv2
import numpy as np
import pytest

from benchmarks import framing
from benchmarks.framing import DetectedFace
from emotion.core.files import read_json
from emotion.core.metadata import ModelMetadata
from emotion.faces.detection import Box, Landmarks, RawDetection
from emotion.faces.framing import CASCADE_FRAMING, YUNET_FRAMING, Framing, frame

pytestmark = pytest.mark.tf

SIZE = 48


class FixedDetector:
    """A detector with the same detections in every image."""

    def __init__(self, *raw_detections):
        self.raw_detections = list(raw_detections)

    def detect_raw(self, image):
        return self.raw_detections


def raw(x, y, side, eyes=None):
    landmarks = None if eyes is None else Landmarks(eyes[0], eyes[1], (0, 0), (0, 0), (0, 0))
    return RawDetection(x, y, side, side, 1.0, landmarks)


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (SIZE, SIZE), dtype=np.uint8)


@pytest.fixture
def canvas(image):
    return framing.to_canvas(image)


@pytest.mark.parametrize("name", framing.BORDERS)
def test_an_image_lies_in_the_middle_of_its_border(image, name):
    canvas = framing.to_canvas(image, 3, framing.BORDERS[name])
    side = SIZE * 3
    border = round(side * framing.BORDER)
    assert canvas.shape == (side + 2 * border, side + 2 * border, 1)
    assert framing.square_of(canvas) == Box(border, border, side, side)
    enlarged = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    assert (canvas[border:-border, border:-border, 0] == enlarged).all()


def test_borders_are_filled_as_their_names_say(image):
    mean, repeated, reflected, blurred = (fill(image, 10)[:, :, None] for fill in framing.BORDERS.values())
    assert set(np.unique(mean[:10])) == {round(float(image.mean()))}
    assert (repeated[:10, 10] == image[0, 0]).all()
    assert (reflected[10 - 3, 10:-10, 0] == image[3]).all()
    assert blurred[:10].std() < reflected[:10].std() / 2


def test_the_face_is_the_largest_about_the_middle():
    square = Box(100, 100, 100, 100)
    small, large, elsewhere = raw(120, 120, 50), raw(110, 105, 90), raw(180, 180, 120)
    assert framing.detect_central(FixedDetector(small, large, elsewhere), np.zeros((300, 300, 1)), square) == large
    assert framing.detect_central(FixedDetector(elsewhere), np.zeros((300, 300, 1)), square) is None
    assert framing.detect_central(FixedDetector(), np.zeros((300, 300, 1)), square) is None


def test_boxes_are_measured_against_the_square(canvas):
    square = framing.square_of(canvas)
    # Four fifths of the square's side, its center a tenth of that side left of the square's and a twentieth above.
    side = 0.8 * square.width
    x, y = square.x + 0.1 * square.width - 0.1 * square.width, square.y + 0.1 * square.width - 0.05 * square.width
    figures = framing.measure_boxes([DetectedFace(canvas, raw(x, y, side), "happy")] * 3)
    assert figures["scale"] == pytest.approx({"median": 1.25, "low": 1.25, "high": 1.25})
    assert figures["right"]["median"] == pytest.approx(0.1)
    assert figures["down"]["median"] == pytest.approx(0.05)


def test_eyes_are_measured_in_shares_of_the_square():
    figures = framing.eyes_in_box(raw(0, 0, 1, ((130, 240), (170, 250))), Box(100, 200, 100, 100))
    angle = math.degrees(math.atan2(0.1, 0.4))
    assert figures == pytest.approx({"x": 0.5, "y": 0.45, "distance": math.hypot(0.4, 0.1), "tilt_degrees": angle})
    with pytest.raises(ValueError, match="does not give the eyes"):
        framing.eyes_in_box(raw(0, 0, 1), Box(0, 0, 1, 1))


def test_the_framing_by_eyes_puts_them_where_the_square_has_them():
    in_squares = {"distance": {"median": 0.4}, "y": {"median": 0.35}}
    in_boxes = {"distance": {"median": 0.5}, "y": {"median": 0.4}}
    scale, down = framing.frame_by_eyes(in_squares, in_boxes).values()
    box = raw(1000, 2000, 80)
    square = frame(box, Framing(scale, down)).box
    assert square.width == pytest.approx(0.5 / 0.4 * 80)
    assert square.y + 0.35 * square.width == pytest.approx(2000 + 0.4 * 80, abs=1)


def test_squares_are_compared_where_both_detectors_found_the_face():
    cascade = FixedDetector(raw(100, 100, 50), raw(300, 300, 50))
    yunet = FixedDetector(raw(105, 105, 40), raw(500, 500, 40))
    figures = framing.compare_sides(cascade, yunet, [np.zeros((600, 600, 1), np.uint8)] * 2)
    assert figures["faces"] == 2
    assert figures["scale"]["median"] == pytest.approx(round(50 * CASCADE_FRAMING.scale) / 40)
    assert figures["down"]["median"] == pytest.approx(0, abs=0.02)


def test_quartiles_are_those_of_the_numbers():
    assert framing.quartiles([1, 2, 3, 4, 5]) == {"median": 3, "low": 2, "high": 4}


class Bright:
    """An engine that takes bright crops for emotion 1, dark ones for 0."""

    def __init__(self):
        self.metadata = ModelMetadata(("sad", "happy"), 8, "grayscale", flip=False)

    def predict(self, x, *, batch_size, verbose):
        bright = x.reshape(len(x), -1).mean(axis=1) > 127
        return np.column_stack([~bright, bright]).astype(np.float32)


def test_a_crop_is_right_where_its_emotion_is_predicted():
    crops = np.stack([np.full((8, 8, 1), value, np.uint8) for value in (0, 255, 255, 0)])
    right = framing.read_right(Bright(), crops, ["sad", "happy", "sad", "sad"])
    assert right.tolist() == [True, True, False, True]


def test_ways_are_compared_in_pairs_and_by_group():
    chosen, other = np.array([1, 0, 0, 0, 1, 1]) > 0, np.array([1, 1, 0, 0, 0, 1]) > 0
    figures = framing.compare_right(other, chosen, [np.arange(4), np.arange(4, 6)])
    assert figures["accuracy"] == pytest.approx((2 / 4 + 1 / 2) / 2)
    assert figures["gain"] == pytest.approx((1 / 4 - 1 / 2) / 2)
    assert figures["standard_error"] == pytest.approx(math.sqrt(3 / 16 / 4 + 1 / 4 / 2) / 2)
    assert framing.compare_right(chosen, chosen, [np.arange(6)])["standard_error"] == 0


def test_faces_are_grouped_by_the_emotions_of_the_balanced_accuracy():
    groups = framing.group_by_emotion(["happy", "fear", "angry", "happy"])
    assert [group.tolist() for group in groups] == [[2], [0, 3]]


def test_framings_and_margins_are_scored_on_the_faces(image):
    faces = [
        DetectedFace(framing.to_canvas(np.full_like(image, level)), raw(72, 72, 48), "happy") for level in (0, 255)
    ]
    compared = framing.compare_framings(Bright(), faces, [np.arange(2)])
    assert (compared["faces"], compared["in_use"]["accuracy"]) == (2, 0.5)
    assert len(compared["framings"]) == len(framing.TESTED_SCALES) * len(framing.TESTED_DOWNS)
    assert {row["gain"] for row in compared["framings"]} == {0.0}
    margins = framing.measure_margins(Bright(), faces, CASCADE_FRAMING)
    assert margins["as_they_are"] == margins["by_margin"]["0.0"] == 0.5
    assert list(margins["by_margin"]) == [str(margin) for margin in framing.TESTED_MARGINS]


def test_the_framings_in_use_are_as_good_as_any_other():
    measured = read_json(framing.RESULT)
    for name in framing.FRAMINGS:
        by_margin = measured["detectors"][name]["accuracy"]["by_margin"]
        assert by_margin["0.0"] > max(by_margin.values()) - 0.01, name
    for name, figures in measured["framings"].items():
        assert (figures["in_use"]["scale"], figures["in_use"]["down"]) == YUNET_FRAMING
        better = [row for row in figures["framings"] if row["gain"] > 3 * row["standard_error"]]
        assert better == [], name
