"""Four convolutions with dropout and a wide dense layer, as in many webcam demonstrations.

2,345,607 parameters with seven classes at 48x48 gray.
"""

import keras
from keras import layers

from emotion.networks.head import classify


def build(size: int | None, channels: int, classes: int) -> keras.Model:
    """Build the network; see `emotion.networks.registry` for the shapes."""
    inputs = keras.Input((size, size, channels), dtype="uint8", name="image")
    hidden = layers.Rescaling(1 / 255)(inputs)
    hidden = layers.Conv2D(32, 3, activation="relu")(hidden)
    hidden = layers.Conv2D(64, 3, activation="relu")(hidden)
    hidden = layers.MaxPooling2D(2)(hidden)
    hidden = layers.Dropout(0.25)(hidden)
    for _ in range(2):
        hidden = layers.Conv2D(128, 3, activation="relu")(hidden)
        hidden = layers.MaxPooling2D(2)(hidden)
    hidden = layers.Dropout(0.25)(hidden)
    hidden = layers.Flatten()(hidden)
    hidden = layers.Dense(1024, activation="relu")(hidden)
    hidden = layers.Dropout(0.5)(hidden)
    return keras.Model(inputs, classify(hidden, classes), name="conv_dropout")
