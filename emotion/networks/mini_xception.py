"""mini-Xception: separable convolutions with shortcuts and no dense layer, 58,423 parameters with seven classes.

Arriaga, Valdenegro-Toro and Plöger 2017, "Real-time Convolutional Neural Networks for Emotion and Gender
Classification", at 64x64 gray. Their code puts an L2 penalty of 0.01 on kernels; here `train.weight_decay` does that.
"""

import keras
from keras import layers

from emotion.networks.head import classify_maps, units


def build(size: int | None, channels: int, classes: int) -> keras.Model:
    """Build the network; see `emotion.networks.registry` for the shapes."""
    inputs = keras.Input((size, size, channels), dtype="uint8", name="image")
    hidden = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    for _ in range(2):
        hidden = layers.Conv2D(8, 3, use_bias=False)(hidden)
        hidden = layers.BatchNormalization()(hidden)
        hidden = layers.ReLU()(hidden)
    for width in (16, 32, 64, 128):
        hidden = _module(hidden, width)
    hidden = layers.Conv2D(units(classes), 3, padding="same")(hidden)
    return keras.Model(inputs, classify_maps(hidden, classes), name="mini_xception")


def _module(hidden: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """Return maps of half the height and width, rounded up, and `width` channels."""
    shortcut = layers.Conv2D(width, 1, strides=2, padding="same", use_bias=False)(hidden)
    shortcut = layers.BatchNormalization()(shortcut)
    hidden = _separable_convolution(hidden, width)
    hidden = layers.ReLU()(hidden)
    hidden = _separable_convolution(hidden, width)
    hidden = layers.MaxPooling2D(3, strides=2, padding="same")(hidden)
    return layers.Add()([hidden, shortcut])


def _separable_convolution(hidden: keras.KerasTensor, width: int) -> keras.KerasTensor:
    hidden = layers.SeparableConv2D(width, 3, padding="same", use_bias=False)(hidden)
    return layers.BatchNormalization()(hidden)
