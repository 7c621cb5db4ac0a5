"""What the figures of benchmarks/framing.py rest on: where it pastes images, and what it counts as their face."""

import math

import numpy as np
import pytest

from benchmarks import framing
from emotion.core.files import read_json
from emotion.core.metadata import ModelMetadata
from emotion.faces.detection import Box, RawDetection

pytestmark = pytest.mark.tf

SIZE = 48


class FixedDetector:
    """A detector with the same detections in every image."""

    def __init__(self, *raw_detections):
        self.raw_detections = list(raw_detections)

    def detect_raw(self, image):
        return self.raw_detections


def raw(x, y, side, eyes=None):
    return RawDetection(x, y, side, side, 1.0, eyes)


@pytest.fixture
def canvas():
    return framing.to_canvas(np.random.default_rng(0).integers(0, 256, (SIZE, SIZE), dtype=np.uint8))


def test_an_image_lies_in_the_middle_of_its_repeated_border(canvas):
    side = SIZE * framing.ENLARGED
    border = round(side * framing.BORDER)
    assert canvas.shape == (side + 2 * border, side + 2 * border, 1)
    assert framing.square_of(canvas) == Box(border, border, side, side)
    inside = framing.inside(canvas)
    assert inside.shape == (side, side, 1)
    assert (canvas[:border, border] == inside[0, 0]).all()
    assert (canvas[border + 5, border + side :] == inside[5, -1]).all()


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
    figures = framing.measure_boxes([framing.DetectedFace(canvas, raw(x, y, side))] * 3)
    assert figures["scale"] == pytest.approx({"median": 1.25, "low": 1.25, "high": 1.25})
    assert figures["right"]["median"] == pytest.approx(0.1)
    assert figures["down"]["median"] == pytest.approx(0.05)


def test_eyes_are_measured_in_shares_of_the_square(canvas):
    square = framing.square_of(canvas)
    left = (square.x + 0.3 * square.width, square.y + 0.4 * square.width)
    right = (square.x + 0.7 * square.width, square.y + 0.5 * square.width)
    face = framing.DetectedFace(canvas, raw(0, 0, 1, (left, right)))
    figures = {name: quarters["median"] for name, quarters in framing.measure_eyes([face]).items()}
    angle = math.atan2(0.1, 0.4)
    assert figures == pytest.approx(
        {"x": 0.5, "y": 0.45, "distance": math.hypot(0.4, 0.1), "tilt_degrees": math.degrees(angle)}
    )


def test_a_detector_without_eyes_is_refused(canvas):
    with pytest.raises(ValueError, match="does not give the eyes"):
        framing.measure_eyes([framing.DetectedFace(canvas, raw(0, 0, 1))])


def test_quartiles_are_those_of_the_numbers():
    assert framing.quartiles([1, 2, 3, 4, 5]) == {"median": 3, "low": 2, "high": 4}


class Bright:
    """An engine that takes bright crops for emotion 1, dark ones for 0."""

    def __init__(self):
        self.metadata = ModelMetadata(("sad", "happy"), 8, "grayscale", flip=False)

    def predict(self, x, *, batch_size, verbose):
        bright = x.reshape(len(x), -1).mean(axis=1) > 127
        return np.column_stack([~bright, bright]).astype(np.float32)


def test_accuracy_is_that_of_the_crops():
    crops = np.stack([np.full((8, 8, 1), value, np.uint8) for value in (0, 255, 255, 0)])
    assert framing.measure_crops(Bright(), np.array([0, 1, 0, 0]), crops) == 0.75


def test_figures_of_a_detector_count_every_image_and_score_the_detected_ones():
    images = [np.full((SIZE, SIZE), value, np.uint8) for value in (0, 255)]
    canvases = [framing.to_canvas(image) for image in images]
    square = framing.square_of(canvases[0])

    class DetectsTheBright:
        def detect_raw(self, image):
            bright = image.mean() > 127 and image.shape == canvases[0].shape
            return [raw(square.x, square.y, square.width)] if bright else []

    figures, faces = framing.measure_detector(DetectsTheBright(), "cascade", canvases, np.array([1, 1]), Bright())
    assert (figures["found"], figures["found_without_border"]) == (0.5, 0.0)
    assert len(faces) == 1
    assert figures["accuracy"]["as_they_are"] == 1.0
    assert figures["accuracy"]["by_margin"]["0.0"] == 1.0
    assert list(figures["accuracy"]["by_margin"]) == [str(margin) for margin in framing.TESTED_MARGINS]


def test_the_factors_in_use_are_those_that_were_measured():
    measured = read_json(framing.RESULT)["detectors"]
    for name, scale in framing.FRAMING_SCALES.items():
        assert scale == pytest.approx(measured[name]["scale"]["median"], abs=0.02)
        by_margin = measured[name]["accuracy"]["by_margin"]
        assert by_margin["0.0"] > max(by_margin.values()) - 0.005, "margin 0 is as good as any other"
