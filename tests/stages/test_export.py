"""The stage export writes every model file with all that its use needs, and the figures of each."""

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.core.files import write_json
from emotion.core.metadata import ModelMetadata
from emotion.core.paths import EVALUATION_METRICS, EXPORT_METRICS, EXPORT_TIME, EXPORTED, FEATURES, MODEL, TRAINED_MODEL
from emotion.data.feature_arrays import ARRAYS
from emotion.evaluation.metrics import predicted_labels
from emotion.model_files import keras_setup
from emotion.model_files.keras_file import load_model, save_model
from emotion.model_files.probabilities import predict_probabilities
from emotion.runtimes import comparison, tflite_export
from emotion.runtimes.engines import load_engine
from stages import export as stage
from tests.makers import write_params

pytestmark = pytest.mark.tf

SIZE = 16
TEMPERATURE = 1.28456
FACES: dict[str, Any] = {"detector": "cascade", "margin": 0.1, "smallest": 33}


@pytest.fixture
def project(tmp_path, monkeypatch, deterministic):
    """A folder with what the stages before leave, of two emotions, as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(keras_setup, "set_up", lambda threads, seed: None)  # once a process, by `deterministic`
    monkeypatch.setattr(comparison, "SECONDS", 0.001)
    faces = {f"faces_{key}": value for key, value in FACES.items()}
    write_params(tmp_path, labels_scheme="happy_sad", evaluate_flip=True, evaluate_threshold=0.45, **faces)
    FEATURES.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for name in ARRAYS:
        images = generator.integers(0, 256, (30, SIZE, SIZE, 1), dtype=np.uint8)
        labels = (np.arange(30) % 2).astype(np.int32)
        np.save(FEATURES / f"{name}.npy", images if name.startswith("x") else labels)
    save_model(TRAINED_MODEL, make_network(), ModelMetadata(("happy", "sad"), SIZE, "grayscale"))
    write_json(EVALUATION_METRICS, {"temperature": TEMPERATURE})
    return tmp_path


def make_network():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((SIZE, SIZE, 1), dtype="uint8", name="image")
    hidden = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    hidden = keras.layers.Conv2D(3, 3, strides=2, activation="relu")(hidden)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(keras.layers.Flatten()(hidden)))


def test_the_stage_writes_files_figures_and_times(project, capsys):
    stage.main()
    metadata = {load_engine(path).metadata for path in EXPORTED.values()}
    assert metadata == {
        ModelMetadata(("happy", "sad"), SIZE, "grayscale", flip=True, temperature=TEMPERATURE, threshold=0.45, **FACES)
    }

    report = json.loads(EXPORT_METRICS.read_text(encoding="utf-8"))
    assert list(report) == list(EXPORTED)
    network, _ = load_model(TRAINED_MODEL)
    images, labels = (np.load(FEATURES / f"{letter}_test.npy") for letter in "xy")
    right = predicted_labels(predict_probabilities(network, images, flip=True), 0.45) == labels
    for name, path in EXPORTED.items():
        assert report[name]["bytes"] == path.stat().st_size
        assert report[name]["accuracy"] == pytest.approx(right.mean(), abs=0.1 if name == "tflite_int8" else 1e-5)
    assert report["keras"] | {"agreement": 1.0, "largest_difference": 0.0} == report["keras"]
    assert report["onnx"]["largest_difference"] < 1e-4

    assert "time" not in str(report)
    assert "milliseconds" not in str(report)
    times = json.loads(EXPORT_TIME.read_text(encoding="utf-8"))
    assert set(times["milliseconds_a_face"]) == set(EXPORTED)
    assert all(time > 0 for time in times["milliseconds_a_face"].values())
    assert times["threads"] == 1
    printed = capsys.readouterr()
    assert [line.split()[0] for line in printed.out.splitlines()] == [path.as_posix() for path in EXPORTED.values()]
    assert printed.err == ""


def test_a_second_run_writes_the_same_bytes(project):
    stage.main()
    written = [*EXPORTED.values(), EXPORT_METRICS]
    before = {path: path.read_bytes() for path in written}
    for path in written:
        path.unlink()
    stage.main()
    assert [path for path in written if path.read_bytes() != before[path]] == []


def test_the_weights_are_those_that_were_trained(project):
    stage.main()
    before, after = (load_model(path)[0].get_weights() for path in (TRAINED_MODEL, MODEL))
    assert all((one == other).all() for one, other in zip(before, after, strict=True))


def test_the_ranges_of_int8_come_from_training_images(project, monkeypatch):
    convert, ranges = tflite_export.to_int8_tflite, []

    def note_images(network, images):
        ranges.append(images)
        return convert(network, images)

    monkeypatch.setattr(tflite_export, "to_int8_tflite", note_images)
    stage.main()
    (images,) = ranges
    np.testing.assert_array_equal(images, np.load(FEATURES / "x_train.npy"))


@pytest.mark.parametrize("content", [None, "{}", "no JSON", "[]"])
def test_without_a_temperature_there_is_no_export(project, content):
    EVALUATION_METRICS.unlink()
    if content is not None:
        EVALUATION_METRICS.write_text(content, encoding="utf-8")
    problem = r"metrics/evaluate.json( is missing| cannot be read| has no temperature|: got \[\]).*dvc repro evaluate"
    with pytest.raises(InputError, match=problem):
        stage.main()
    assert not MODEL.exists()


def test_a_failed_export_keeps_the_old_files(project, monkeypatch):
    stage.main()
    before = {path: path.read_bytes() for path in EXPORTED.values()}
    shutil.rmtree(FEATURES)
    with pytest.raises(InputError, match="extract_features"):
        stage.main()
    assert {path: path.read_bytes() for path in EXPORTED.values()} == before
    assert not list(Path("models").glob(".partial-*"))
