"""Two convolutions and a wide dense layer: 9,515,783 parameters at 48x48 gray, most of them in the dense layer."""

import keras
from keras import layers

from emotion.networks.head import classify


def build(size: int | None, channels: int, classes: int) -> keras.Model:
    """Build the network; see `emotion.networks.registry` for the shapes."""
    inputs = keras.Input((size, size, channels), dtype="uint8", name="image")
    hidden = layers.Rescaling(1 / 255)(inputs)
    for width in (64, 128):
        hidden = layers.Conv2D(width, 3, padding="same", activation="relu")(hidden)
        hidden = layers.MaxPooling2D(2)(hidden)
    hidden = layers.Flatten()(hidden)
    hidden = layers.Dense(512, activation="relu")(hidden)
    hidden = layers.Dropout(0.5)(hidden)
    return keras.Model(inputs, classify(hidden, classes), name="conv64_128")
