"""The cost of a network: multiply-adds of the forward pass of one image."""

import math

import keras
from keras import layers


def multiply_adds(network: keras.Model) -> int:
    """Count the multiply-adds of Conv2D, DepthwiseConv2D, SeparableConv2D and Dense for one image.

    Products with the zeros of padding count. Other layers, biases and activations do not.

    Raises:
        ValueError: the network takes images of every size, so the number depends on the image.
    """
    if None in network.input_shape[1:]:
        raise ValueError(f"{network.name} takes images of every size, expected one size; build it for one size")
    return sum(_layer_multiply_adds(layer) for layer in network.layers)


def _layer_multiply_adds(layer: keras.Layer) -> int:
    """Count the multiply-adds of a layer: each number of a kernel is used once at each place of the output."""
    if isinstance(layer, layers.SeparableConv2D):
        kernels = [layer.depthwise_kernel, layer.pointwise_kernel]
    elif isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.Dense):
        kernels = [layer.kernel]
    else:
        return 0
    places: int = math.prod(layer.output.shape[1:-1])
    weights: int = sum(math.prod(kernel.shape) for kernel in kernels)
    return places * weights
