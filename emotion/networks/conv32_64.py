"""Two convolutions and two dense layers, for two classes: 1,673,985 parameters at 48x48 gray."""

import keras
from keras import layers

from emotion.networks.head import classify


def build(size: int | None, channels: int, classes: int) -> keras.Model:
    """Build the network; see `emotion.networks.registry` for the shapes."""
    inputs = keras.Input((size, size, channels), dtype="uint8", name="image")
    hidden = layers.Rescaling(1 / 255)(inputs)
    for width in (32, 64):
        hidden = layers.Conv2D(width, 3, activation="relu")(hidden)
        hidden = layers.MaxPooling2D(2)(hidden)
    hidden = layers.Flatten()(hidden)
    hidden = layers.Dense(256, activation="relu")(hidden)
    hidden = layers.Dropout(0.2)(hidden)
    hidden = layers.Dense(64, activation="relu")(hidden)
    return keras.Model(inputs, classify(hidden, classes), name="conv32_64")
