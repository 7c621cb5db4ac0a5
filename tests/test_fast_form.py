"""The fast form of a network computes what the stock form computes."""

from unittest.mock import Mock

import keras
import numpy as np
import pytest

from emotion import fast_form as module
from emotion.fast_form import LARGEST_MAP, fast_form

ZEN_4 = {"avx512f", "avx512_bf16"}
SAPPHIRE_RAPIDS = ZEN_4 | {"amx_bf16"}


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
    return network, fast_form(network)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(1).normal(2, 3, (16, 8, 8, 1)).astype(np.float32)


@pytest.fixture
def processor(monkeypatch):
    """Return a function that says what the processor can do."""
    return lambda flags: monkeypatch.setattr(module, "cpu_flags", lambda: flags)


def test_predictions_agree(pair, pictures):
    stock, fast = (model.predict(pictures, verbose=0) for model in pair)
    assert fast == pytest.approx(stock, abs=1e-5)


def test_training_outputs_gradients_and_averages_agree(pair, pictures):
    import tensorflow as tf

    results = []
    for model in pair:
        with tf.GradientTape() as tape:
            outputs = model(pictures, training=True)
            loss = tf.reduce_sum(outputs**2)
        results.append([outputs, *tape.gradient(loss, model.trainable_variables), *model.non_trainable_variables])
    for stock, fast in zip(*results, strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(fast), keras.ops.convert_to_numpy(stock), rtol=2e-4, atol=2e-4
        )


# --- kernel gradients of small maps


def _random(*shape):
    return np.random.default_rng(list(shape)).standard_normal(shape, np.float32)


@pytest.mark.parametrize("kernel_size", [(3, 3), (1, 3), (5, 3), (7, 7)])
@pytest.mark.parametrize("height, width", [(6, 6), (5, 3), (1, 4)])
@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-4), ("bfloat16", 0.05)])
def test_a_small_map_has_the_gradients_of_tensorflow(kernel_size, height, width, dtype, tolerance):
    """Of an odd number of pictures, which the graph does not know beforehand, as in a training's last batch."""
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


@pytest.mark.parametrize(
    "size, precision, small",
    [
        (LARGEST_MAP, "mixed_bfloat16", True),
        (LARGEST_MAP + 1, "mixed_bfloat16", False),
        (LARGEST_MAP, "float32", False),
    ],
)
def test_small_maps_in_bfloat16_are_what_is_computed_so(size, precision, small, processor, monkeypatch):
    """In a network for every size as well, which learns the size from the pictures that it is shown."""
    convolve = Mock(wraps=module._convolve)
    monkeypatch.setattr(module, "_convolve", convolve)
    processor(ZEN_4)
    layers = [
        keras.layers.Conv2D(4, 3, padding="same"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2),
    ]
    fast = fast_form(keras.Sequential([keras.Input((None, None, 1)), *layers]), precision)
    fast.compile(keras.optimizers.SGD(0.01), "mse")
    convolve.reset_mock()
    fast.train_on_batch(_random(4, size, size, 1), _random(4, 2))
    assert convolve.called is small


@pytest.mark.parametrize(
    "arguments",
    [
        {"kernel_size": 1, "padding": "same"},
        {"kernel_size": 2, "padding": "same"},
        {"kernel_size": 3, "padding": "valid"},
        {"kernel_size": 3, "padding": "same", "strides": 2},
        {"kernel_size": 3, "padding": "same", "dilation_rate": 2},
        {"kernel_size": 3, "padding": "same", "groups": 2},
    ],
)
def test_other_convolutions_stay_as_they_are(arguments, processor):
    processor(ZEN_4)
    layer = keras.layers.Conv2D(4, **arguments)
    assert module._fast_class(layer) is keras.layers.Conv2D
    assert module._fast_class(keras.layers.Conv2D(4, 3, padding="same")) is not keras.layers.Conv2D


def test_separable_convolutions_stay_as_they_are(processor):
    processor(ZEN_4)
    layer = keras.layers.SeparableConv2D(4, 3, padding="same")
    assert module._fast_class(layer) is keras.layers.SeparableConv2D


@pytest.mark.parametrize("flags, accelerator", [(SAPPHIRE_RAPIDS, None), (set(), None), (ZEN_4, "NVIDIA H200")])
def test_other_machines_keep_their_own_gradients(flags, accelerator, processor, monkeypatch):
    processor(flags)
    monkeypatch.setattr(module, "accelerator", lambda: accelerator)
    layer = keras.layers.Conv2D(4, 3, padding="same")
    assert module._fast_class(layer) is keras.layers.Conv2D
