"""The fast form of a network computes what the stock form computes."""

from unittest.mock import Mock

import keras
import numpy as np
import pytest

from emotion.training.acceleration import training_network as module
from emotion.training.acceleration import winograd
from emotion.training.acceleration.training_network import LARGEST_MAP, to_training_network

ZEN_4 = {"avx512f", "avx512_bf16"}
SAPPHIRE_RAPIDS = ZEN_4 | {"amx_bf16"}

PLAIN = {"filters": 4, "kernel_size": 3, "padding": "same"}


@pytest.fixture(scope="module")
def pair(deterministic):
    """A small stock network with moved weights, and its fast form."""
    layers = [
        keras.layers.Conv2D(4, 3),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.GlobalAveragePooling2D(),
    ]
    network = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    generator = np.random.default_rng(0)
    network.set_weights([generator.uniform(0.5, 1.5, w.shape) for w in network.get_weights()])
    return network, to_training_network(network)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).normal(2, 3, (16, 8, 8, 1)).astype(np.float32)


@pytest.fixture
def processor(monkeypatch):
    """Return a function that says what the processor can do."""
    return lambda flags: monkeypatch.setattr(module, "cpu_flags", lambda: flags)


def test_predictions_agree(pair, images):
    stock, fast = (model.predict(images, verbose=0) for model in pair)
    assert fast == pytest.approx(stock, abs=1e-5)


def test_training_outputs_gradients_and_averages_agree(pair, images):
    import tensorflow as tf

    results = []
    for model in pair:
        with tf.GradientTape() as tape:
            outputs = model(images, training=True)
            loss = tf.reduce_sum(outputs**2)
        results.append([outputs, *tape.gradient(loss, model.trainable_variables), *model.non_trainable_variables])
    for stock, fast in zip(*results, strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(fast), keras.ops.convert_to_numpy(stock), rtol=2e-4, atol=2e-4
        )


# --- convolutions, and kernel gradients of small maps


def _random(*shape):
    return np.random.default_rng(list(shape)).standard_normal(shape, np.float32)


@pytest.mark.parametrize("kernel_size", [(3, 3), (1, 3), (5, 3), (7, 7)])
@pytest.mark.parametrize("height, width", [(6, 6), (5, 3), (1, 4)])
@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-4), ("bfloat16", 0.05)])
def test_a_small_map_has_the_gradients_of_tensorflow(kernel_size, height, width, dtype, tolerance):
    """Of an odd number of images, which the graph does not know beforehand, as in a training's last batch."""
    import tensorflow as tf

    inputs, kernel = _random(11, height, width, 8), _random(*kernel_size, 8, 5)
    upstream = _random(11, height, width, 5)

    @tf.function(input_signature=[tf.TensorSpec((None, height, width, 8)), tf.TensorSpec(kernel.shape)])
    def ours(inputs, kernel):
        return module._convolve(tf.cast(inputs, dtype), tf.cast(kernel, dtype))

    def stock(inputs, kernel):
        return tf.nn.conv2d(inputs, kernel, 1, "SAME")

    found, expected = (_outputs_and_gradients(f, inputs, kernel, upstream) for f in (ours, stock))
    for value, reference in zip(found, expected, strict=True):
        assert value.shape == reference.shape
        assert np.abs(value - reference).max() <= tolerance * np.abs(reference).max()


def _outputs_and_gradients(convolve, inputs, kernel, upstream):
    import tensorflow as tf

    inputs, kernel = tf.constant(inputs), tf.constant(kernel)
    with tf.GradientTape() as tape:
        tape.watch([inputs, kernel])
        outputs = tf.cast(convolve(inputs, kernel), "float32")
    return [value.numpy() for value in (outputs, *tape.gradient(outputs, [inputs, kernel], upstream))]


@pytest.fixture
def ways(monkeypatch):
    """Return a function that says by which way a training step convolves."""

    def way(size, channels, filters, precision, **change):
        """Of maps (size, size, channels), in a network that learns their size from the images that it is shown."""
        plain = keras.layers.Conv2D.convolution_op
        functions = {"winograd": winograd.convolve, "own gradient": module._convolve, "plain": plain}
        mocks = {name: Mock(wraps=function) for name, function in functions.items()}
        monkeypatch.setattr(winograd, "convolve", mocks["winograd"])
        monkeypatch.setattr(module, "_convolve", mocks["own gradient"])
        monkeypatch.setattr(keras.layers.Conv2D, "convolution_op", lambda *args: mocks["plain"](*args))
        layers = [
            keras.layers.Conv2D(**PLAIN | {"filters": filters} | change),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2),
        ]
        fast = to_training_network(keras.Sequential([keras.Input((None, None, channels)), *layers]), precision)
        fast.compile(keras.optimizers.SGD(0.01), "mse")
        for mock in mocks.values():
            mock.reset_mock()
        fast.train_on_batch(_random(2, size, size, channels), _random(2, 2))
        (name,) = (name for name, mock in mocks.items() if mock.called)
        return name

    return way


@pytest.mark.parametrize(
    "size, channels, precision, way",
    [
        (LARGEST_MAP, 4, "mixed_bfloat16", "own gradient"),
        (LARGEST_MAP + 1, 4, "mixed_bfloat16", "plain"),
        (LARGEST_MAP, 192, "mixed_bfloat16", "winograd"),
        (LARGEST_MAP, 4, "float32", "plain"),
        (LARGEST_MAP, 64, "float32", "winograd"),
    ],
)
def test_the_way_that_is_faster_is_taken(size, channels, precision, way, processor, ways):
    processor(ZEN_4)
    assert ways(size, channels, channels, precision) == way


def test_with_amx_bfloat16_is_not_left_for_fewer_multiply_adds(processor, ways):
    processor(SAPPHIRE_RAPIDS)
    assert ways(LARGEST_MAP, 192, 192, "mixed_bfloat16") == "own gradient"
    assert ways(LARGEST_MAP, 192, 192, "float32") == "winograd"


@pytest.mark.parametrize("change", [{"kernel_size": 1}, {"strides": 2}, {"dilation_rate": 2}, {"groups": 2}])
def test_other_convolutions_stay_as_they_are(change, processor):
    processor(ZEN_4)
    assert module._fast_class(keras.layers.Conv2D(**PLAIN | change)) is keras.layers.Conv2D
    assert module._fast_class(keras.layers.Conv2D(**PLAIN)) is module._Bfloat16Convolution


@pytest.mark.parametrize("change", [{"kernel_size": 2}, {"padding": "valid"}])
def test_kernel_gradients_of_maps_that_change_size_are_those_of_tensorflow(change, processor, ways):
    processor(ZEN_4)
    assert ways(12, 4, 4, "mixed_bfloat16", **change) == "plain"


def test_separable_convolutions_stay_as_they_are(processor):
    processor(ZEN_4)
    layer = keras.layers.SeparableConv2D(4, 3, padding="same")
    assert module._fast_class(layer) is keras.layers.SeparableConv2D


def test_other_processors_keep_their_own_gradients(processor):
    processor({"avx512f"})
    assert module._fast_class(keras.layers.Conv2D(**PLAIN)) is module._FastConvolution


@pytest.mark.parametrize("backend, accelerator", [("tensorflow", "NVIDIA H200"), ("torch", None)])
def test_other_machines_keep_their_own_convolutions(backend, accelerator, processor, monkeypatch):
    processor(ZEN_4)
    monkeypatch.setattr(module, "backend", lambda: backend)
    monkeypatch.setattr(module, "accelerator", lambda: accelerator)
    assert module._fast_class(keras.layers.Conv2D(**PLAIN)) is keras.layers.Conv2D
