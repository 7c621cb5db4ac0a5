"""The residual network with pre-activation and squeeze-and-excitation: 1.5 million parameters.

After He et al. 2016, "Identity Mappings in Deep Residual Networks", and Hu et al. 2018, "Squeeze-and-Excitation
Networks". Depth and width are those of `residual`.
"""

import keras
from keras import layers

from emotion.networks.blocks import convolution, normalization, pooled_blocks
from emotion.networks.head import classify
from emotion.networks.residual import STEM, WIDTHS

REDUCTION = 8


def build(size: int | None, channels: int, classes: int) -> keras.Model:
    """Build the network; see `emotion.networks.registry` for the shapes."""
    inputs = keras.Input((size, size, channels), dtype="uint8", name="image")
    hidden = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    hidden = convolution(hidden, STEM)
    hidden = pooled_blocks(hidden, STEM, WIDTHS, _se_block)
    hidden = _activated(hidden)
    hidden = layers.GlobalAveragePooling2D()(hidden)
    hidden = layers.Dropout(0.2)(hidden)
    return keras.Model(inputs, classify(hidden, classes), name="se_resnet")


def _se_block(hidden: keras.KerasTensor, width: int, *, widened: bool) -> keras.KerasTensor:
    activated = _activated(hidden)
    shortcut = convolution(activated, width, kernel_size=1) if widened else hidden
    hidden = convolution(activated, width)
    hidden = convolution(_activated(hidden), width)
    return layers.Add()([_excited(hidden, width), shortcut])


def _activated(hidden: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU()(normalization(hidden))


def _excited(hidden: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """Weigh the channels of (n, height, width, channels) by their averages, (n, 1, 1, channels)."""
    weights = layers.GlobalAveragePooling2D(keepdims=True)(hidden)
    weights = layers.Dense(width // REDUCTION, activation="relu", kernel_initializer="he_normal")(weights)
    weights = layers.Dense(width, activation="sigmoid")(weights)
    return layers.Multiply()([hidden, weights])
