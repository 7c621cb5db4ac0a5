"""One face has the same probabilities on every way into the model.

Each way has tests of its own: the web page in Chromium in test_serve_page.py, the files for other runtimes in
test_export.py.
"""

import csv
import json
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from fastapi.testclient import TestClient

from benchmarks.frame_speed import portrait_frame
from emotion.app import cli
from emotion.app.serve.api import make_app
from emotion.app.webcam.camera_sources import open_camera
from emotion.app.webcam.live_tracker import LiveTracker
from emotion.core.metadata import ModelMetadata
from emotion.data.images import read_image, to_input
from emotion.evaluation.metrics import apply_temperature
from emotion.inference.predictor import Face, Predictor
from emotion.model_files.probabilities import predict_probabilities
from emotion.runtimes.engines import load_engine
from tests.clips import read_frames, write_video
from tests.makers import encode, write_onnx

EMOTIONS = ("calm", "glad", "tense")
METADATA = ModelMetadata(EMOTIONS, 24, "grayscale", flip=True, temperature=1.7)

TOLERANCE = 1e-5
"""Tables have five decimals."""


class OneFace(NamedTuple):
    """A face, in the first frame of a video, in an image of that frame, and by itself as in a data set."""

    video: Path
    image: Path
    crop: Path
    predictor: Predictor
    face: Face


@pytest.fixture(scope="module")
def one_face(astronaut, tmp_path_factory):
    folder = tmp_path_factory.mktemp("face")
    video, image, crop = (folder / name for name in ("face.mp4", "face.png", "crop.png"))
    write_video(video, [portrait_frame(astronaut, 0.0, (480, 640))] * 5)
    frame = read_frames(video)[0].image
    image.write_bytes(encode(frame))
    predictor = Predictor(write_onnx(folder / "model.onnx", METADATA))
    [face] = predictor.predict(frame)
    x, y, width, height = face.box
    crop.write_bytes(encode(frame[y : y + height, x : x + width]))
    return OneFace(video, image, crop, predictor, face)


def by_pipeline(one_face, _):
    """As the stages do: what extract_features writes of an image, scored as evaluate does, at the temperature."""
    x = to_input(read_image(one_face.crop), METADATA.size, METADATA.color)[None]
    [probabilities] = predict_probabilities(load_engine(one_face.predictor.path), x, flip=METADATA.flip)
    return apply_temperature(probabilities[None], METADATA.temperature)[0]


def by_whole_image(one_face, emotion):
    [line] = emotion("predict", one_face.crop, "--detector", "whole", "--json").splitlines()
    return list(json.loads(line)["faces"][0]["probabilities"].values())


def by_predict(one_face, emotion):
    [line] = emotion("predict", one_face.image, "--json").splitlines()
    return list(json.loads(line)["faces"][0]["probabilities"].values())


def by_video(one_face, emotion):
    emotion("video", one_face.video, "--csv", "faces.csv")
    with Path("faces.csv").open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    return [float(first[name]) for name in EMOTIONS]


def by_webcam(one_face, _):
    with open_camera(str(one_face.video)) as camera, LiveTracker(one_face.predictor) as tracker:
        frame = camera.newest_frame(after=-1, timeout=10)
        assert frame is not None
        for number in range(1000):
            if tracked_faces := tracker.update(frame.image, number / 30):
                return tracked_faces[0].face.probabilities
            time.sleep(0.01)
    raise AssertionError("the webcam found no face")


def by_page(one_face, _):
    client = TestClient(make_app(one_face.predictor), base_url="http://localhost")
    answer = client.post("/api/predict", content=one_face.image.read_bytes(), headers={"content-type": "image/png"})
    return list(answer.json()["faces"][0]["probabilities"].values())


@pytest.mark.parametrize("way", [by_pipeline, by_whole_image, by_predict, by_video, by_webcam, by_page])
def test_every_way_gives_the_same(way, one_face, here, monkeypatch, capsys):
    def emotion(*arguments):
        """Run a command and return what it printed."""
        monkeypatch.setattr("sys.argv", ["emotion", *map(str, arguments), "--model", str(one_face.predictor.path)])
        cli.main()
        return capsys.readouterr().out

    np.testing.assert_allclose(way(one_face, emotion), one_face.face.probabilities, atol=TOLERANCE)
    assert len(set(np.round(one_face.face.probabilities, 3))) == len(EMOTIONS), "another order would show"
