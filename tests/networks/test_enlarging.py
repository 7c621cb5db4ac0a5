"""A network that enlarges its pictures inside says what it would say of pictures that were larger."""

import cv2
import keras
import numpy as np
import pytest

from emotion.core.metadata import ModelForm
from emotion.model_files.keras_file import load_model, save_model
from emotion.networks import registry
from emotion.networks.cost import multiply_adds
from emotion.networks.enlarging import enlarge_inside
from emotion.networks.registry import ANY_SIZE
from emotion.training.acceleration.training_network import fast_form

SIZE, LARGER = 24, 34


@pytest.fixture(scope="module")
def pictures():
    coarse = np.random.default_rng(0).integers(0, 256, (16, 8, 8), dtype=np.uint8)
    return np.stack([cv2.resize(picture, (SIZE, SIZE))[..., None] for picture in coarse])


def make_network(name, size):
    """Return a network whose averages of batch normalisation are not those of the batch."""
    network = registry.build(name, size, 1, 3)
    generator = np.random.default_rng(1)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_variance.assign(generator.uniform(0.5, 2, layer.moving_variance.shape))
    return network


def say(network, pictures):
    return network.predict(pictures, verbose=0)


@pytest.mark.parametrize("name", sorted(ANY_SIZE))
def test_it_says_what_the_network_says_of_larger_pictures(name, pictures, deterministic):
    network = make_network(name, None)
    enlarged = np.stack([cv2.resize(picture, (LARGER, LARGER))[..., None] for picture in pictures])
    said = say(enlarge_inside(network, SIZE, LARGER), pictures)
    other = np.abs(say(network, pictures) - said).max()
    assert np.abs(say(network, enlarged) - said).max() < other / 5  # what rounding to whole greys leaves


def test_a_plain_call_is_one_outside_training(pictures, deterministic):
    enlarging = enlarge_inside(make_network("residual_small", SIZE), SIZE, LARGER)
    assert np.asarray(enlarging(pictures)) == pytest.approx(say(enlarging, pictures), abs=1e-6)


def test_it_costs_what_larger_pictures_cost(deterministic):
    small, large = (make_network("residual_small", size) for size in (SIZE, LARGER))
    assert multiply_adds(enlarge_inside(small, SIZE, LARGER)) == multiply_adds(large) > multiply_adds(small)


def test_its_file_loads_and_its_fast_form_says_the_same(pictures, deterministic, tmp_path):
    enlarging = enlarge_inside(make_network("residual_small", SIZE), SIZE, LARGER)
    save_model(tmp_path / "model.keras", enlarging, ModelForm(("angry", "happy", "sad"), SIZE, "grey"))
    loaded, _ = load_model(tmp_path / "model.keras")
    assert (say(loaded, pictures) == say(enlarging, pictures)).all()
    assert say(fast_form(loaded), pictures) == pytest.approx(say(enlarging, pictures), abs=1e-5)
    assert say(fast_form(loaded, "float32"), pictures) == pytest.approx(say(enlarging, pictures), abs=1e-5)
