"""One face has the same probabilities whichever way it comes in: this is where other projects break.

Each way is tested more closely elsewhere: the web page in Chromium by test_serve_page.py, the files for other runtimes
by test_export.py.
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
from emotion.app.webcam.camera import open_camera
from emotion.app.webcam.live import LiveTracker
from emotion.core.metadata import ModelMetadata
from emotion.data.images import read_image, to_input
from emotion.evaluation.metrics import apply_temperature
from emotion.inference.predictor import Face, Predictor
from emotion.inference.videos import VideoReader, VideoWriter
from emotion.model_files.probabilities import predict_probabilities
from emotion.runtimes.engines import load_engine
from tests.makers import encode, write_onnx

EMOTIONS = ("calm", "glad", "tense")
METADATA = ModelMetadata(EMOTIONS, 24, "grayscale", flip=True, temperature=1.7)

SAME = 1e-5
"""Tables have five decimals."""


class Shown(NamedTuple):
    """A face, in the first frame of a video, in an image of that frame, and by itself as in a data set."""

    video: Path
    image: Path
    crop: Path
    predictor: Predictor
    face: Face


@pytest.fixture(scope="module")
def shown(astronaut, tmp_path_factory):
    folder = tmp_path_factory.mktemp("face")
    video, image, crop = (folder / name for name in ("face.mp4", "face.png", "crop.png"))
    with VideoWriter(video, (480, 640), 30) as writer:
        for number in range(5):
            writer.write(portrait_frame(astronaut, 0.0, (480, 640)), number / 30)
    with VideoReader(video) as reader:
        frame = next(iter(reader)).image
    image.write_bytes(encode(frame))
    predictor = Predictor(write_onnx(folder / "model.onnx", METADATA))
    [face] = predictor.predict(frame)
    x, y, width, height = face.box
    crop.write_bytes(encode(frame[y : y + height, x : x + width]))
    return Shown(video, image, crop, predictor, face)


def by_pipeline(shown, _):
    """As the stages do: what extract_features writes of an image, scored as evaluate does, at the temperature."""
    x = to_input(read_image(shown.crop), METADATA.size, METADATA.color)[None]
    [said] = predict_probabilities(load_engine(shown.predictor.path), x, flip=METADATA.flip)
    return apply_temperature(said[None], METADATA.temperature)[0]


def by_whole_image(shown, emotion):
    [line] = emotion("predict", shown.crop, "--detector", "whole", "--json").splitlines()
    return list(json.loads(line)["faces"][0]["probabilities"].values())


def by_predict(shown, emotion):
    [line] = emotion("predict", shown.image, "--json").splitlines()
    return list(json.loads(line)["faces"][0]["probabilities"].values())


def by_video(shown, emotion):
    emotion("video", shown.video, "--csv", "faces.csv")
    with Path("faces.csv").open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    return [float(first[name]) for name in EMOTIONS]


def by_webcam(shown, _):
    with open_camera(str(shown.video)) as camera, LiveTracker(shown.predictor) as live:
        frame = camera.newest(after=-1, timeout=10)
        assert frame is not None
        for number in range(1000):
            if tracked_faces := live.update(frame.image, number / 30):
                return tracked_faces[0].face.probabilities
            time.sleep(0.01)
    raise AssertionError("the webcam saw no face")


def by_page(shown, _):
    client = TestClient(make_app(shown.predictor), base_url="http://localhost")
    answer = client.post("/api/predict", content=shown.image.read_bytes(), headers={"content-type": "image/png"})
    return list(answer.json()["faces"][0]["probabilities"].values())


@pytest.mark.parametrize("way", [by_pipeline, by_whole_image, by_predict, by_video, by_webcam, by_page])
def test_every_way_gives_the_same(way, shown, here, monkeypatch, capsys):
    def emotion(*arguments):
        """Run a command and return what it printed."""
        monkeypatch.setattr("sys.argv", ["emotion", *map(str, arguments), "--model", str(shown.predictor.path)])
        cli.main()
        return capsys.readouterr().out

    np.testing.assert_allclose(way(shown, emotion), shown.face.probabilities, atol=SAME)
    assert len(set(np.round(shown.face.probabilities, 3))) == len(EMOTIONS), "another order would show"
