"""A network in training is the stock network, made of the layers that are faster on this machine."""

from unittest.mock import Mock

import keras
import numpy as np
import pytest

from emotion.training.acceleration import kernel_gradients, training_network, winograd
from emotion.training.acceleration.fused_batch_normalization import FusedBatchNormalization
from emotion.training.acceleration.kernel_gradients import LARGEST_MAP, KernelGradientConvolution
from emotion.training.acceleration.training_network import to_training_network
from emotion.training.acceleration.winograd import WinogradConvolution

pytestmark = pytest.mark.tf

ZEN_4 = {"avx512f", "avx512_bf16"}
SAPPHIRE_RAPIDS = ZEN_4 | {"amx_bf16"}

PLAIN = {"filters": 4, "kernel_size": 3, "padding": "same"}


def _random(*shape):
    return np.random.default_rng(list(shape)).standard_normal(shape, np.float32)


def _class_of(layer, precision):
    """Return the class that `layer` has in training, as the first of a network."""
    layers = [layer, keras.layers.GlobalAveragePooling2D()]
    network = keras.Sequential([keras.Input((24, 24, 2)), *layers])
    return type(to_training_network(network, precision).layers[0])


@pytest.fixture
def processor(monkeypatch):
    """Return a function that sets what the processor can do."""
    return lambda flags: monkeypatch.setattr(training_network, "cpu_flags", lambda: flags)


@pytest.fixture
def kind(monkeypatch):
    """Return a function that returns by which kind of convolution a training step computes."""

    def kind(size, channels, precision, **change):
        """Of maps (size, size, channels), in a network that learns their size from the images that it gets."""
        plain = keras.layers.Conv2D.convolution_op
        products, small = winograd.convolve_by_products, kernel_gradients.convolve_small_maps
        mocks = {"winograd": Mock(wraps=products), "own gradient": Mock(wraps=small), "plain": Mock(wraps=plain)}
        monkeypatch.setattr(winograd, "convolve_by_products", mocks["winograd"])
        monkeypatch.setattr(kernel_gradients, "convolve_small_maps", mocks["own gradient"])
        monkeypatch.setattr(keras.layers.Conv2D, "convolution_op", lambda *args: mocks["plain"](*args))
        layers = [
            keras.layers.Conv2D(**PLAIN | {"filters": channels} | change),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2),
        ]
        network = to_training_network(keras.Sequential([keras.Input((None, None, channels)), *layers]), precision)
        network.compile(keras.optimizers.SGD(0.01), "mse")
        for mock in mocks.values():
            mock.reset_mock()
        network.train_on_batch(_random(2, size, size, channels), _random(2, 2))
        (name,) = (name for name, mock in mocks.items() if mock.called)
        return name

    return kind


@pytest.mark.parametrize(
    "size, channels, precision, expected",
    [
        (LARGEST_MAP, 4, "mixed_bfloat16", "own gradient"),
        (LARGEST_MAP + 1, 4, "mixed_bfloat16", "plain"),
        (LARGEST_MAP, 192, "mixed_bfloat16", "own gradient"),
        (LARGEST_MAP + 1, 192, "mixed_bfloat16", "plain"),
        (LARGEST_MAP, 4, "float32", "plain"),
        (LARGEST_MAP, 64, "float32", "winograd"),
    ],
)
@pytest.mark.parametrize("flags", [ZEN_4, SAPPHIRE_RAPIDS])
def test_the_faster_kind_is_taken(size, channels, precision, expected, flags, processor, kind):
    processor(flags)
    assert kind(size, channels, precision) == expected


@pytest.mark.parametrize("change", [{"kernel_size": 2}, {"padding": "valid"}])
def test_kernel_gradients_of_maps_that_change_size_are_those_of_tensorflow(change, processor, kind):
    processor(ZEN_4)
    assert kind(12, 4, "mixed_bfloat16", **change) == "plain"


@pytest.mark.parametrize("change", [{"kernel_size": 1}, {"strides": 2}, {"dilation_rate": 2}, {"groups": 2}])
@pytest.mark.parametrize(
    "precision, faster", [("float32", WinogradConvolution), ("mixed_bfloat16", KernelGradientConvolution)]
)
def test_other_convolutions_stay_as_they_are(change, precision, faster, processor):
    processor(ZEN_4)
    assert _class_of(keras.layers.Conv2D(**PLAIN | change), precision) is keras.layers.Conv2D
    assert _class_of(keras.layers.Conv2D(**PLAIN), precision) is faster


def test_separable_convolutions_stay_as_they_are(processor):
    processor(ZEN_4)
    layer = keras.layers.SeparableConv2D(4, 3, padding="same")
    assert _class_of(layer, "mixed_bfloat16") is keras.layers.SeparableConv2D


def test_other_processors_keep_their_own_gradients(processor):
    processor({"avx512f"})
    assert _class_of(keras.layers.Conv2D(**PLAIN), "mixed_bfloat16") is keras.layers.Conv2D
    assert _class_of(keras.layers.Conv2D(**PLAIN), "float32") is WinogradConvolution


@pytest.mark.parametrize("backend, accelerator", [("tensorflow", "NVIDIA H200"), ("torch", None)])
def test_other_machines_keep_their_own_convolutions(backend, accelerator, processor, monkeypatch):
    processor(ZEN_4)
    monkeypatch.setattr(training_network, "backend", lambda: backend)
    monkeypatch.setattr(training_network, "accelerator", lambda: accelerator)
    for precision in ("float32", "mixed_bfloat16"):
        assert _class_of(keras.layers.Conv2D(**PLAIN), precision) is keras.layers.Conv2D


def test_batch_normalization_is_fused_under_tensorflow_only(monkeypatch):
    assert _class_of(keras.layers.BatchNormalization(), "float32") is FusedBatchNormalization
    monkeypatch.setattr(training_network, "backend", lambda: "jax")
    assert _class_of(keras.layers.BatchNormalization(), "float32") is keras.layers.BatchNormalization


def test_layers_compute_in_the_precision_and_the_last_in_its_own():
    layers = [keras.layers.Conv2D(**PLAIN), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    network = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    for precision, expected in ((None, "float32"), ("mixed_bfloat16", "bfloat16")):
        dtypes = [layer.compute_dtype for layer in to_training_network(network, precision).layers]
        assert dtypes == [expected, expected, "float32"]
