"""What a network costs to run: the multiplications, each with its addition, of one image's forward pass."""

import math

import keras
from keras import layers


def multiply_adds(network: keras.Model) -> int:
    """Count the multiply-adds of Conv2D, DepthwiseConv2D, SeparableConv2D and Dense for one image.

    Other layers, biases and activations do not count; products with the zeros of padding do.

    Raises:
        ValueError: the network takes images of every size, so there is no one number.
    """
    if None in network.input_shape[1:]:
        raise ValueError(f"{network.name} takes images of every size; build it for one size to count multiply-adds")
    return sum(_layer_multiply_adds(layer) for layer in network.layers)


def _layer_multiply_adds(layer: keras.Layer) -> int:
    """Each number of a kernel is used once at every place of the outputs, (n, ..., channels)."""
    if isinstance(layer, layers.SeparableConv2D):
        kernels = [layer.depthwise_kernel, layer.pointwise_kernel]
    elif isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.Dense):
        kernels = [layer.kernel]
    else:
        return 0
    return math.prod(layer.output.shape[1:-1]) * sum(math.prod(kernel.shape) for kernel in kernels)
