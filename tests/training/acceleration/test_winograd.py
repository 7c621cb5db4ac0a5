"""Convolutions with fewer multiply-adds are convolutions, and are taken where they are faster."""

import keras
import numpy as np
import pytest

from emotion.training.acceleration import winograd
from emotion.training.acceleration.winograd import LARGEST_MAP, LARGEST_TILE, LEAST_CHANNELS, convolve, is_faster


def _random(*shape):
    return np.random.default_rng(list(shape)).standard_normal(shape)


def _plain(inputs, kernel, padding):
    import tensorflow as tf

    return tf.nn.conv2d(inputs, kernel, 1, "SAME" if padding else "VALID")


def _outputs_and_gradients(function, dtype, *arrays, upstream):
    """Return what `function` makes of two arrays in `dtype`, and the gradients of both, all in float64."""
    import tensorflow as tf

    tensors = [tf.cast(array, dtype) for array in arrays]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        outputs = tf.cast(function(*tensors), tf.float64)
    return [tf.cast(value, tf.float64).numpy() for value in (outputs, *tape.gradient(outputs, tensors, upstream))]


SIDES = [(1, 6), (2, 9), (3, 4), (5, 12), (13, 7), (26, 8), (LARGEST_MAP, 10)]


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("height, width", SIDES)
def test_outputs_and_gradients_are_those_of_a_plain_convolution(height, width, padding):
    """Of an odd number of images, which the graph does not know beforehand, as in a training's last batch."""
    import tensorflow as tf

    height, width = height + 2 * (1 - padding), width + 2 * (1 - padding)
    inputs, kernel = _random(3, height, width, 5), _random(3, 3, 5, 4)
    upstream = _random(3, height + 2 * padding - 2, width + 2 * padding - 2, 4)

    @tf.function(input_signature=[tf.TensorSpec((None, height, width, 5)), tf.TensorSpec(kernel.shape)])
    def ours(inputs, kernel):
        return convolve(inputs, kernel, padding)

    found = _outputs_and_gradients(ours, "float32", inputs, kernel, upstream=upstream)
    expected = _outputs_and_gradients(
        lambda inputs, kernel: _plain(inputs, kernel, padding), "float64", inputs, kernel, upstream=upstream
    )
    for value, reference in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, reference, rtol=0, atol=1e-4 * np.abs(reference).max())


@pytest.mark.parametrize("size, channels", [(3, 192), (4, 192), (5, 192), (6, 192), (8, 96), (12, 96)])
def test_rounding_is_far_below_that_of_bfloat16(size, channels):
    """Of maps after a ReLU and a kernel as it is first drawn; what the module says of rounding."""
    inputs, upstream = np.maximum(_random(8, size, size, channels), 0), _random(8, size, size, channels)
    kernel = _random(3, 3, channels, channels) * np.sqrt(2 / (9 * channels))

    def errors(function, dtype):
        found = _outputs_and_gradients(function, dtype, inputs, kernel, upstream=upstream)
        return np.array([np.sqrt(np.mean((f - e) ** 2) / np.mean(e**2)) for f, e in zip(found, exact, strict=True)])

    def plain(inputs, kernel):
        return _plain(inputs, kernel, 1)

    exact = _outputs_and_gradients(plain, "float64", inputs, kernel, upstream=upstream)
    ours = errors(lambda inputs, kernel: convolve(inputs, kernel, 1), "float32")
    assert ours.max() < 1e-5
    assert (ours < 20 * errors(plain, "float32")).all()
    assert (ours < errors(plain, "bfloat16") / 300).all()


def test_a_tile_takes_as_many_products_as_it_has_inputs():
    """What saves multiply-adds: 64 products of matrices for 36 outputs of 9 each."""
    side = winograd._side(LARGEST_TILE, padding=1)
    assert (side.points, side.tiles) == (LARGEST_TILE + 2, 1)
    assert LARGEST_TILE == 6


@pytest.mark.parametrize("size", range(1, LARGEST_MAP + 1))
def test_tiles_cover_a_side_evenly(size):
    side = winograd._side(size, padding=1)
    tile = side.points - 2
    assert side.tiles == -(-size // LARGEST_TILE)
    assert 0 <= side.tiles * tile - size < side.tiles


def test_outputs_have_the_type_of_the_inputs():
    import tensorflow as tf

    inputs, kernel = tf.cast(_random(2, 6, 6, 4), tf.bfloat16), tf.cast(_random(3, 3, 4, 4), tf.bfloat16)
    assert convolve(inputs, kernel, 1).dtype == tf.bfloat16


ENOUGH = LEAST_CHANNELS["float32"]
MANY = LEAST_CHANNELS["bfloat16"]


@pytest.mark.parametrize(
    "size, channels, filters, dtype, faster",
    [
        (12, ENOUGH, ENOUGH, "float32", True),
        (12, ENOUGH - 1, ENOUGH, "float32", False),
        (12, ENOUGH // 2, 10 * ENOUGH, "float32", False),
        (LARGEST_MAP, ENOUGH, ENOUGH, "float32", True),
        (LARGEST_MAP + 1, ENOUGH, ENOUGH, "float32", False),
        (None, ENOUGH, ENOUGH, "float32", False),
        (4, MANY, MANY, "float32", True),
        (4, MANY, MANY, "bfloat16", False),
        (12, MANY, MANY, "bfloat16", True),
        (12, MANY - 1, MANY, "bfloat16", False),
        (12, MANY, MANY, "float16", False),
    ],
)
def test_it_is_said_to_be_faster_where_it_was_measured_to_be(size, channels, filters, dtype, faster):
    inputs = keras.KerasTensor((None, size, size, channels), dtype)
    assert is_faster(inputs, filters, padding=1) is faster
