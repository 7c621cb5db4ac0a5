"""Convolutions by products of matrices compute what plain convolutions compute, with fewer multiply-adds."""

import numpy as np
import pytest

from emotion.training.acceleration import winograd
from emotion.training.acceleration.winograd import (
    LARGEST_MAP,
    LARGEST_TILE,
    LEAST_CHANNELS,
    convolve_by_products,
    is_faster,
)

pytestmark = pytest.mark.tf


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
        return convolve_by_products(inputs, kernel, padding)

    values = _outputs_and_gradients(ours, "float32", inputs, kernel, upstream=upstream)
    expected = _outputs_and_gradients(
        lambda inputs, kernel: _plain(inputs, kernel, padding), "float64", inputs, kernel, upstream=upstream
    )
    for value, reference in zip(values, expected, strict=True):
        np.testing.assert_allclose(value, reference, rtol=0, atol=1e-4 * np.abs(reference).max())


@pytest.mark.parametrize("size, channels", [(3, 192), (4, 192), (5, 192), (6, 192), (8, 96), (12, 96)])
def test_rounding_is_far_below_that_of_bfloat16(size, channels):
    """Of maps after a ReLU and a kernel as it is first drawn; what the module says of rounding."""
    inputs, upstream = np.maximum(_random(8, size, size, channels), 0), _random(8, size, size, channels)
    kernel = _random(3, 3, channels, channels) * np.sqrt(2 / (9 * channels))

    def errors(function, dtype):
        values = _outputs_and_gradients(function, dtype, inputs, kernel, upstream=upstream)
        return np.array([np.sqrt(np.mean((v - e) ** 2) / np.mean(e**2)) for v, e in zip(values, exact, strict=True)])

    def plain(inputs, kernel):
        return _plain(inputs, kernel, 1)

    exact = _outputs_and_gradients(plain, "float64", inputs, kernel, upstream=upstream)
    ours = errors(lambda inputs, kernel: convolve_by_products(inputs, kernel, 1), "float32")
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


@pytest.mark.parametrize(
    "size, channels, filters, expected",
    [
        (12, LEAST_CHANNELS, LEAST_CHANNELS, True),
        (12, LEAST_CHANNELS - 1, LEAST_CHANNELS, False),
        (12, LEAST_CHANNELS // 2, 10 * LEAST_CHANNELS, False),
        (4, LEAST_CHANNELS, LEAST_CHANNELS, True),
        (LARGEST_MAP, LEAST_CHANNELS, LEAST_CHANNELS, True),
        (LARGEST_MAP + 1, LEAST_CHANNELS, LEAST_CHANNELS, False),
        (None, LEAST_CHANNELS, LEAST_CHANNELS, False),
    ],
)
def test_it_is_taken_where_it_was_measured_to_be_faster(size, channels, filters, expected):
    assert is_faster((None, size, size, channels), filters) is expected
