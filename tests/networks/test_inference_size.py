"""A network that enlarges its images inside gives the probabilities that it would give for larger images."""

import cv2
import keras
import numpy as np
import pytest

from emotion.core.metadata import ModelMetadata
from emotion.model_files.keras_file import load_model, save_model
from emotion.networks import registry
from emotion.networks.cost import multiply_adds
from emotion.networks.inference_size import resize_inside
from emotion.networks.registry import ANY_SIZE
from emotion.training.acceleration.training_network import to_training_network
from tests.architectures import quickest_first

pytestmark = pytest.mark.tf

SIZE, LARGER = 24, 34


@pytest.fixture(scope="module")
def images():
    coarse = np.random.default_rng(0).integers(0, 256, (16, 8, 8), dtype=np.uint8)
    return np.stack([cv2.resize(image, (SIZE, SIZE))[..., None] for image in coarse])


def make_network(name, size):
    """Return a network whose averages of batch normalization are not those of the batch."""
    network = registry.build(name, size, 1, 3)
    generator = np.random.default_rng(1)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_variance.assign(generator.uniform(0.5, 2, layer.moving_variance.shape))
    return network


def predict(network, images):
    return network.predict(images, verbose=0)


@pytest.mark.parametrize("name", quickest_first(sorted(ANY_SIZE)))
def test_probabilities_are_those_of_larger_images(name, images, deterministic):
    network = make_network(name, None)
    enlarged = np.stack([cv2.resize(image, (LARGER, LARGER))[..., None] for image in images])
    probabilities = predict(resize_inside(network, SIZE, LARGER), images)
    other = np.abs(predict(network, images) - probabilities).max()
    assert np.abs(predict(network, enlarged) - probabilities).max() < other / 5  # what rounding to whole grays leaves


def test_a_plain_call_is_one_outside_training(images, deterministic):
    resizing = resize_inside(make_network("residual_small", SIZE), SIZE, LARGER)
    assert np.asarray(resizing(images)) == pytest.approx(predict(resizing, images), abs=1e-6)


def test_it_costs_what_larger_images_cost(deterministic):
    small, large = (make_network("residual_small", size) for size in (SIZE, LARGER))
    assert multiply_adds(resize_inside(small, SIZE, LARGER)) == multiply_adds(large) > multiply_adds(small)


def test_its_file_and_its_training_network_predict_the_same(images, deterministic, tmp_path):
    resizing = resize_inside(make_network("residual_small", SIZE), SIZE, LARGER)
    save_model(tmp_path / "model.keras", resizing, ModelMetadata(("angry", "happy", "sad"), SIZE, "grayscale"))
    loaded, _ = load_model(tmp_path / "model.keras")
    assert (predict(loaded, images) == predict(resizing, images)).all()
    assert predict(to_training_network(loaded), images) == pytest.approx(predict(resizing, images), abs=1e-5)
    assert predict(to_training_network(loaded, "float32"), images) == pytest.approx(predict(resizing, images), abs=1e-5)
