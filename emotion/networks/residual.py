"""A narrow residual network for small faces: 1.5 million parameters, after He et al. 2016.

It has a stem at full size, then pairs of 3x3 convolutions. Max pooling follows the stem and precedes each change of
width. Widths are multiples of 16, since oneDNN normalizes others by code without vector instructions.
"""

from collections.abc import Sequence

import keras
from keras import layers

from emotion.networks.blocks import normalized_convolution, pooled_blocks
from emotion.networks.head import classify

STEM = 32
WIDTHS = (48, 96, 96, 192, 192)


def build(size: int | None, channels: int, classes: int) -> keras.Model:
    """Build the network; see `emotion.networks.registry` for the shapes."""
    return build_residual(size, channels, classes, STEM, WIDTHS, name="residual")


def build_residual(
    size: int | None, channels: int, classes: int, stem: int, widths: Sequence[int], name: str
) -> keras.Model:
    """Build a residual network with `stem` channels at full size and one block for each of `widths`."""
    inputs = keras.Input((size, size, channels), dtype="uint8", name="image")
    hidden = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    hidden = normalized_convolution(hidden, stem)
    hidden = layers.ReLU()(hidden)
    hidden = pooled_blocks(hidden, stem, widths, _residual_block)
    hidden = layers.GlobalAveragePooling2D()(hidden)
    hidden = layers.Dropout(0.2)(hidden)
    return keras.Model(inputs, classify(hidden, classes), name=name)


def _residual_block(hidden: keras.KerasTensor, width: int, *, widened: bool) -> keras.KerasTensor:
    shortcut = normalized_convolution(hidden, width, kernel_size=1) if widened else hidden
    hidden = normalized_convolution(hidden, width)
    hidden = layers.ReLU()(hidden)
    hidden = normalized_convolution(hidden, width)
    return layers.ReLU()(layers.Add()([hidden, shortcut]))
