"""Three small convolutions and a dense layer, for two classes: 3,696,625 parameters at 256x256 RGB.

As in a widely followed tutorial on the classification of happy and sad images.
"""

import keras
from keras import layers

from emotion.networks.head import classify


def build(size: int | None, channels: int, classes: int) -> keras.Model:
    """Build the network; see `emotion.networks.registry` for the shapes."""
    inputs = keras.Input((size, size, channels), dtype="uint8", name="image")
    hidden = layers.Rescaling(1 / 255)(inputs)
    for width in (16, 32, 16):
        hidden = layers.Conv2D(width, 3, activation="relu")(hidden)
        hidden = layers.MaxPooling2D(2)(hidden)
    hidden = layers.Flatten()(hidden)
    hidden = layers.Dense(256, activation="relu")(hidden)
    return keras.Model(inputs, classify(hidden, classes), name="conv16_32_16")
