"""The strata of benchmarks/strata.py: what is measured, the manifest as the pipeline reads it, and the figures."""

import cv2
import numpy as np
import pytest

from benchmarks import strata
from benchmarks.labeled_faces import BALANCED, LabeledFace
from emotion.core.metadata import ModelMetadata
from emotion.faces.detection import Box, Detection
from emotion.inference.predictor import Predictor
from tests.makers import open_source


def test_values_at_the_bounds_belong_to_the_upper_stratum():
    named = [strata.name_stratum(value, (100, 300)) for value in (0, 99.9, 100, 299.9, 300, 1e4)]
    assert named == ["0-99", "0-99", "100-299", "100-299", "300+", "300+"]
    assert [strata.name_stratum(value, (10,)) for value in (0, 10)] == ["0-9", "10+"]


def test_only_the_face_is_measured():
    rng = np.random.default_rng(0)
    image = np.zeros((200, 200, 1), np.uint8)
    image[50:150, 60:160] = rng.integers(100, 200, (100, 100, 1))
    blurred = cv2.GaussianBlur(image, (9, 9), 0)[..., None]
    box = Box(60, 50, 100, 100)
    sharp, soft = (strata.measure(one, Detection(box, -0.3)) for one in (image, blurred))
    assert sharp["size"] == 100
    assert sharp["tilt"] == pytest.approx(np.degrees(0.3))
    assert sharp["light"] == pytest.approx(image[50:150, 60:160].mean())
    assert soft["sharpness"] < 0.2 * sharp["sharpness"]
    beyond = strata.measure(image, Detection(Box(-50, -50, 160, 160)))
    assert beyond["light"] == pytest.approx(image[:110, :110].mean())
    color = strata.measure(image.repeat(3, axis=2), Detection(box))
    assert color["light"] == pytest.approx(sharp["light"], abs=0.5)
    assert strata.find_strata(image, None) == dict.fromkeys(strata.BOUNDS, "")
    assert strata.find_strata(image, Detection(box))["tilt"] == "0-9"


def test_the_manifest_is_read_with_its_columns(tmp_path):
    faces = [LabeledFace(np.full((30, 20, channels), 9, np.uint8), "happy") for channels in (1, 3)]
    strata.write_manifest(tmp_path / "new", faces, {"size": ["0-99", ""], "light": ["125+", ""]})
    source = open_source(tmp_path / "new")
    assert (source.layout, source.columns) == ("manifest", ("size", "light"))
    entries = list(source.preview())
    assert [(entry.emotion, entry.split, entry.columns) for entry in entries] == [
        ("happy", "test", ("0-99", "125+")),
        ("happy", "test", ("", "")),
    ]


def test_strata_are_scored_over_faces_and_whole_images():
    class FixedPredictor(Predictor):
        metadata = ModelMetadata(BALANCED, 4, "grayscale")

        def __init__(self):
            pass

        def crop(self, image, detection):
            return image[: detection.box.height, :1]

        def probabilities(self, crops):
            return 0.1 + 0.5 * np.eye(5)[crops[:, 0, 0, 0]]

    faces = [LabeledFace(np.full((4, 4, 1), number % 5, np.uint8), BALANCED[number % 5]) for number in range(80)]
    found = [Detection(Box(0, 0, 4, 4)) if number < 70 else None for number in range(80)]
    columns = {"light": ["0-104"] * 40 + ["105+"] * 30 + [""] * 10}
    result = strata.score_strata(FixedPredictor(), faces, columns, found)
    assert (result["photographs"], result["all"]["accuracy"]) == (80, 1)
    values = result["groups"]["light"]["values"]
    assert {name: scores["images"] for name, scores in values.items()} == {"0-104": 40, "105+": 30, "(empty)": 10}
    assert values["105+"]["calibrated_overconfidence"] == pytest.approx(-0.4)
