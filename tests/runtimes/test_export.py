"""A network gives the same probabilities in every file that it is exported to, and each file holds the metadata."""

import io
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import cv2
import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf

from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.core.metadata import CHANNELS, FIXED_TIME, ModelMetadata
from emotion.model_files.keras_file import save_model
from emotion.model_files.probabilities import predict_probabilities
from emotion.networks import registry
from emotion.networks.inference_size import resize_inside
from emotion.runtimes import comparison
from emotion.runtimes.comparison import compare_engines
from emotion.runtimes.engines import load_engine
from emotion.runtimes.onnx_export import to_onnx, write_onnx
from emotion.runtimes.tflite_export import (
    choose_images,
    to_float16_tflite,
    to_float32_tflite,
    to_int8_tflite,
    write_tflite,
)

pytestmark = pytest.mark.tf

PAIR = ("happy", "sad")
CASES = [
    ("residual_small", 24, 32, "grayscale", EMOTIONS),
    ("conv32_64", 24, None, "rgb", PAIR),
]
EXACT, FLOAT16, INT8 = 1e-4, 0.02, 0.2
"""The largest difference from Keras' probabilities that is allowed; the same computation has 1e-6."""

SAME_LABELS = 0.95
"""The share of labels that int8 keeps at least, of networks that are sure of themselves."""


class Exported(NamedTuple):
    """A network, its probabilities for some images, and its files by kind."""

    network: keras.Model
    metadata: ModelMetadata
    images: np.ndarray
    probabilities: np.ndarray
    files: dict[str, Path]


@pytest.fixture(scope="module", params=CASES, ids=[case[0] for case in CASES])
def exported(request, deterministic, tmp_path_factory):
    name, size, larger, color, emotions = request.param
    metadata = ModelMetadata(
        emotions,
        size,
        color,
        flip=True,
        temperature=1.23456,
        threshold=0.4,
        detector="cascade",
        margin=-0.05,
        smallest=31,
    )
    images = make_images(200, size, CHANNELS[color])
    network = make_network(name, images, len(emotions), larger)
    probabilities = predict_probabilities(network, images, flip=True)
    files = write_files(tmp_path_factory.mktemp(name), network, metadata, images)
    return Exported(network, metadata, images, probabilities, files)


def make_images(number, size, channels):
    """Return images of a few gray or colored spots: noise looks all the same to a network."""
    spots = np.random.default_rng(0).integers(0, 256, (number, 3, 3, channels), dtype=np.uint8)
    return np.stack([cv2.resize(spot, (size, size)).reshape(size, size, channels) for spot in spots])


def make_network(name, images, classes, larger=None):
    """Return a network that was not trained and yet predicts several labels with confidence: by its last layer."""
    keras.utils.set_random_seed(1)
    network = registry.build(name, images.shape[1], images.shape[3], classes)
    if larger is not None:
        network = resize_inside(network, images.shape[1], larger)
    hidden = keras.Model(network.inputs, network.layers[-1].input).predict(images, verbose=0)
    kernel, bias = network.layers[-1].get_weights()
    kernel *= 3 / (hidden @ kernel).std(axis=0)
    network.layers[-1].set_weights([kernel, bias - (hidden @ kernel).mean(axis=0)])
    return network


def write_files(folder, network, metadata, images):
    files = {kind: folder / f"{kind}.tflite" for kind in ("float32", "float16", "int8")}
    files |= {"keras": folder / "model.keras", "onnx": folder / "model.onnx"}
    save_model(files["keras"], network, metadata)
    write_tflite(files["float32"], to_float32_tflite(network), metadata)
    write_tflite(files["float16"], to_float16_tflite(network), metadata)
    write_tflite(files["int8"], to_int8_tflite(network, images), metadata)
    write_onnx(files["onnx"], to_onnx(network), metadata)
    return files


@pytest.mark.parametrize(
    "kind, tolerance", [("keras", 0), ("float32", EXACT), ("onnx", EXACT), ("float16", FLOAT16), ("int8", INT8)]
)
def test_every_file_gives_the_probabilities_of_the_network(exported, kind, tolerance):
    engine = load_engine(exported.files[kind], threads=1)
    assert engine.metadata == exported.metadata
    probabilities = predict_probabilities(engine, exported.images, flip=True, batch_size=32)
    assert np.abs(probabilities - exported.probabilities).max() <= tolerance
    agreement = (probabilities.argmax(axis=1) == exported.probabilities.argmax(axis=1)).mean()
    assert agreement >= (SAME_LABELS if kind == "int8" else 0.99)
    assert len(set(exported.probabilities.argmax(axis=1))) > 1, "the network has to tell the images apart"


def test_smaller_types_make_smaller_files(exported):
    sizes = {kind: file.stat().st_size for kind, file in exported.files.items()}
    assert sizes["int8"] < sizes["float16"] < sizes["float32"]
    assert sizes["float16"] < 0.7 * sizes["float32"]


@pytest.mark.parametrize("exported", [CASES[1]], indirect=True, ids=[CASES[1][0]])  # of all: tests/pipeline
def test_a_second_export_gives_the_same_bytes(exported, tmp_path):
    again = write_files(tmp_path, exported.network, exported.metadata, exported.images)
    changed = [kind for kind, file in again.items() if file.read_bytes() != exported.files[kind].read_bytes()]
    assert changed == []


def test_int8_computes_with_integers_alone(exported):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(exported.files["int8"]))
    scale, zero = interpreter.get_input_details()[0]["quantization"]
    assert (scale, zero) == (1, 0), "images have to pass as they are"
    interpreter.allocate_tensors()
    floats = [tensor["name"] for tensor in interpreter.get_tensor_details() if tensor["dtype"] == np.float32]
    assert len(floats) == 1, "the probabilities"


def test_an_onnx_file_names_its_ends(exported):
    model = onnx.load(exported.files["onnx"])
    onnx.checker.check_model(model, full_check=True)
    assert [tensor.name for tensor in (*model.graph.input, *model.graph.output)] == ["image", "probabilities"]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "images"


def test_a_tflite_file_is_a_zip_archive_too(exported):
    with zipfile.ZipFile(exported.files["float32"]) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["emotion.json"]
        assert archive.infolist()[0].date_time == FIXED_TIME


def test_converters_print_nothing(deterministic, capfd, recwarn):
    images = make_images(3, 24, 1)
    network = registry.build("conv32_64", 24, 1, 2)
    to_int8_tflite(network, images)
    to_onnx(network)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
    assert [str(warning.message) for warning in recwarn] == []


def test_what_tensorflow_lite_has_not_is_named(deterministic):
    inputs = keras.Input((8, 8, 1), dtype="uint8")

    class Bessel(keras.layers.Layer):
        def call(self, inputs):
            return tf.math.special.bessel_k0(tf.reduce_mean(tf.cast(inputs, "float32"), axis=(1, 2)))

    with pytest.raises(InputError, match=r"TensorFlow Lite.*train\.architecture"):
        to_float32_tflite(keras.Model(inputs, Bessel()(inputs)))


def test_another_backend_is_refused(monkeypatch, deterministic):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    network = registry.build("conv32_64", 24, 1, 2)
    for convert in (to_float32_tflite, to_float16_tflite, to_onnx):
        with pytest.raises(InputError, match=r"jax.*KERAS_BACKEND=tensorflow"):
            convert(network)


# --- calibration


@pytest.mark.parametrize("number, chosen", [(1, 1), (7, 7), (200, 200), (1000, 200)])
def test_images_for_calibration_are_spread_and_reach_from_black_to_white(number, chosen):
    images = np.full((number, 4, 4, 1), 100, np.uint8)
    images[:, 1, 1, 0] = np.arange(number) % 256
    chosen_images = choose_images(images)
    assert len(chosen_images) == chosen
    assert (chosen_images[0, 1, 1, 0], chosen_images[-1, 1, 1, 0]) == (0, (number - 1) % 256)
    assert (chosen_images.min(), chosen_images.max()) == (0, 255)
    assert images[0, 0, 0, 0] == 100, "the images themselves stay"


# --- comparison


class FixedEngine:
    """An engine that gives the same outputs for all images."""

    metadata = ModelMetadata(PAIR, 8, "grayscale")

    def __init__(self, *rows):
        self.rows = np.array(rows, np.float32)

    def predict(self, x, *, batch_size, verbose):
        return self.rows


def test_files_are_compared_with_the_first():
    engines = {
        "first": FixedEngine([0.9, 0.1, 0], [0.2, 0.8, 0], [0.5, 0.3, 0.2], [0, 0, 1]),
        "second": FixedEngine([0.9, 0.1, 0], [0.6, 0.4, 0], [0.5, 0.3, 0.2], [0, 0, 1]),
    }
    metadata = ModelMetadata(("a", "b", "c"), 8, "grayscale")
    report = compare_engines(engines, np.zeros((4, 8, 8, 1), np.uint8), np.array([0, 0, 0, 0]), metadata)
    assert report["first"] == {"accuracy": 0.5, "agreement": 1.0, "largest_difference": 0.0}
    assert report["second"] == {"accuracy": 0.75, "agreement": 0.75, "largest_difference": pytest.approx(0.4)}


def test_of_two_emotions_the_threshold_decides():
    engines = {"first": FixedEngine([0.6], [0.2]), "second": FixedEngine([0.75], [0.2])}
    images, labels = np.zeros((2, 8, 8, 1), np.uint8), np.array([1, 0])
    metadata = ModelMetadata(PAIR, 8, "grayscale", threshold=0.7)
    assert compare_engines(engines, images, labels, metadata)["first"]["accuracy"] == 0.5
    assert compare_engines(engines, images, labels, metadata)["second"]["agreement"] == 0.5
    even = replace(metadata, threshold=0.5)
    assert compare_engines(engines, images, labels, even)["second"] == {
        "accuracy": 1.0,
        "agreement": 1.0,
        "largest_difference": pytest.approx(0.15),
    }


def test_the_time_of_an_image_is_the_median_of_several(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("emotion.runtimes.comparison.time.perf_counter", lambda: now[0])
    calls = []

    def predict(x, *, batch_size, verbose):
        calls.append(x.shape)
        now[0] += 5 if len(calls) == 1 else 0.004  # the first call allocates

    assert comparison.time_one_image(SimpleNamespace(predict=predict), np.zeros((8, 8, 1), np.uint8)) == (
        pytest.approx(4)
    )
    assert set(calls) == {(1, 8, 8, 1)}


def test_nothing_but_the_standard_library_is_needed_to_read_the_metadata(exported):
    # The metadata stands behind the flatbuffer, whose own bytes stay as they were.
    content = exported.files["float32"].read_bytes()
    assert content[4:8] == b"TFL3"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert b'"flip": true' in archive.read("emotion.json")
    assert "tensorflow" in sys.modules
