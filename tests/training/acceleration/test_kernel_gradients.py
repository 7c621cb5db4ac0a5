"""Kernel gradients as convolutions are those of TensorFlow."""

import numpy as np
import pytest

from emotion.training.acceleration.kernel_gradients import convolve_small_maps

pytestmark = pytest.mark.tf


def _random(*shape):
    return np.random.default_rng(list(shape)).standard_normal(shape, np.float32)


def _outputs_and_gradients(convolve, inputs, kernel, upstream):
    import tensorflow as tf

    inputs, kernel = tf.constant(inputs), tf.constant(kernel)
    with tf.GradientTape() as tape:
        tape.watch([inputs, kernel])
        outputs = tf.cast(convolve(inputs, kernel), "float32")
    return [value.numpy() for value in (outputs, *tape.gradient(outputs, [inputs, kernel], upstream))]


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
        return convolve_small_maps(tf.cast(inputs, dtype), tf.cast(kernel, dtype))

    def stock(inputs, kernel):
        return tf.nn.conv2d(inputs, kernel, 1, "SAME")

    values, expected = (_outputs_and_gradients(f, inputs, kernel, upstream) for f in (ours, stock))
    for value, reference in zip(values, expected, strict=True):
        assert value.shape == reference.shape
        assert np.abs(value - reference).max() <= tolerance * np.abs(reference).max()
