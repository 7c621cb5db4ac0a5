"""Convolutions in bfloat16 whose kernel gradients are convolutions too.

On small maps oneDNN computes kernel gradients in bfloat16 at a fraction of the speed of the convolutions themselves.
"""

from collections.abc import Callable
from typing import Any

import keras

LARGEST_MAP = 12
"""Height and width up to which a kernel gradient was measured to be faster as a convolution."""


class KernelGradientConvolution(keras.layers.Conv2D):
    """keras.layers.Conv2D that keeps the size of its maps, of strides and dilation 1, by kernels of odd sides."""

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Return the maps convolved, (n, height, width, filters), without bias."""
        import tensorflow as tf

        if is_small(inputs.shape):
            return convolve_small_maps(inputs, tf.convert_to_tensor(kernel))
        return super().convolution_op(inputs, kernel)


def is_small(shape: tuple[int | None, ...]) -> bool:
    """Return whether maps of `shape`, (n, height, width, channels), are at most LARGEST_MAP high and wide."""
    _, height, width, _ = shape
    return height is not None and width is not None and max(height, width) <= LARGEST_MAP


def convolve_small_maps(inputs: Any, kernel: Any) -> Any:
    """Convolve maps, with zeros around them, in a way whose kernel gradient is a convolution.

    Args:
        inputs: tensor (n, height, width, in); all but n are known.
        kernel: tensor (rows, columns, in, out) of the same type; rows and columns are odd.

    Returns:
        Tensor (n, height, width, out) of that type.
    """
    import tensorflow as tf

    def convolve(inputs: Any, kernel: Any) -> tuple[Any, Callable[[Any], tuple[Any, Any]]]:
        def gradients(upstream: Any) -> tuple[Any, Any]:
            of_inputs = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(inputs), filter=kernel, out_backprop=upstream, strides=[1] * 4, padding="SAME"
            )
            return of_inputs, _kernel_gradient(inputs, upstream, kernel.shape[:2])

        return tf.nn.conv2d(inputs, kernel, strides=1, padding="SAME"), gradients

    return tf.custom_gradient(convolve)(inputs, kernel)


def _kernel_gradient(inputs: Any, upstream: Any, kernel_size: tuple[int, int]) -> Any:
    """Return the gradient of a kernel, (rows, columns, in, out).

    It is a sum of products over images and places, for each shift of the two maps against each other. A convolution
    sums over channels and places. So images take the place of channels, `inputs` become one wide image with their
    channels side by side, and `upstream` is a kernel. It is dilated by the number of channels, to reach the same
    channel of the next place.

    Args:
        inputs: what was convolved, (n, height, width, in).
        upstream: the gradient of the outputs, (n, height, width, out).
        kernel_size: rows and columns.
    """
    import tensorflow as tf

    batch = tf.shape(inputs)[0]
    _, height, width, channels = inputs.shape
    rows, columns = kernel_size
    wide = tf.reshape(tf.transpose(tf.reshape(inputs, [batch, -1])), [1, height, width * channels, batch])
    up, left = rows // 2, columns // 2 * channels
    gradient = tf.nn.conv2d(
        wide,
        tf.transpose(upstream, [1, 2, 0, 3]),
        strides=1,
        padding=[[0, 0], [up, up], [left, left], [0, 0]],
        dilations=[1, channels],
    )
    return tf.reshape(gradient, [rows, columns, channels, -1])
