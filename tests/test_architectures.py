"""Every network keeps the same promises: uint8 pictures in, probabilities out, stock layers only."""

import keras
import numpy as np
import pytest

from emotion import architectures
from emotion.architectures import ANY_SIZE, ARCHITECTURES
from emotion.errors import InputError

PARAMETERS = {"conv64_128_256": 2_472_711, "residual": 1_514_815, "residual_small": 170_095}


@pytest.fixture(scope="module", params=sorted(ARCHITECTURES))
def network(request, deterministic):
    return architectures.build(request.param, 48, 1, 7)


def test_the_number_of_parameters_is_the_stated_one(network):
    assert network.count_params() == PARAMETERS[network.name]


def test_pictures_become_probabilities(network):
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)
    probabilities = network.predict(images, verbose=0)
    assert probabilities.shape == (3, 7)
    assert probabilities.dtype == np.float32
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_scaling_is_inside(network):
    """Numbers 0 to 255 become numbers of size 1 in the first layer, whatever the network."""
    rescaling = next(layer for layer in network.layers if isinstance(layer, keras.layers.Rescaling))
    assert network.layers.index(rescaling) == 1
    scaled = np.asarray(rescaling(np.array([[[[0]], [[255]]]], np.uint8))).ravel()
    assert -1 <= scaled.min() <= 0
    assert scaled.max() == pytest.approx(1)


def test_layers_are_stock(network):
    assert {type(layer).__module__.split(".")[0] for layer in network.layers} == {"keras"}


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
@pytest.mark.parametrize(("size", "channels", "classes"), [(64, 3, 2), (100, 1, 8)])
def test_other_forms_are_built(name, size, channels, classes):
    network = architectures.build(name, size, channels, classes)
    assert network.input_shape == (None, size, size, channels)
    assert network.output_shape == (None, classes)


@pytest.mark.parametrize("name", sorted(ANY_SIZE))
def test_networks_of_any_size_have_the_same_weights_at_each(name):
    shapes = [[w.shape for w in architectures.build(name, size, 1, 7).weights] for size in (None, 48)]
    assert shapes[0] == shapes[1]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match="got 'vgg', expected one of conv64_128_256, residual, residual_small"):
        architectures.build("vgg", 48, 1, 7)


def test_pictures_too_small_for_the_pooling_are_refused():
    with pytest.raises(InputError, match=r"features\.size: 16 is too small for train\.architecture conv64_128_256"):
        architectures.build("conv64_128_256", 16, 1, 7)


def test_a_network_of_one_size_refuses_smaller_pictures_first():
    with pytest.raises(InputError, match=r"train\.smaller_first: conv64_128_256 takes pictures of one size only"):
        architectures.build("conv64_128_256", None, 1, 7)
