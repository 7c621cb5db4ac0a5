"""Four pairs of 3x3 convolutions with batch normalization: 1.2 million parameters.

After Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition", and Ioffe and
Szegedy 2015, "Batch Normalization". A global average replaces the first dense layers.
"""

import keras
from keras import layers

from emotion.networks.blocks import normalized_convolution
from emotion.networks.head import classify

WIDTHS = (32, 64, 128, 256)


def build(size: int | None, channels: int, classes: int) -> keras.Model:
    """Build the network; see `emotion.networks.registry` for the shapes."""
    inputs = keras.Input((size, size, channels), dtype="uint8", name="image")
    hidden = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    for width in WIDTHS:
        if width != WIDTHS[0]:
            hidden = layers.MaxPooling2D(2)(hidden)
        for _ in range(2):
            hidden = normalized_convolution(hidden, width)
            hidden = layers.ReLU()(hidden)
    hidden = layers.GlobalAveragePooling2D()(hidden)
    hidden = layers.Dropout(0.2)(hidden)
    return keras.Model(inputs, classify(hidden, classes), name="vgg_bn")
