"""Three convolution blocks and a dense layer, as a widely copied FER2013 notebook has them: 2,472,711 parameters."""

import keras
from keras import layers

from emotion.networks.head import classify


def build(size: int | None, channels: int, classes: int) -> keras.Model:
    """Build the network; see `emotion.networks.registry` for the shapes."""
    inputs = keras.Input((size, size, channels), dtype="uint8", name="image")
    hidden = layers.Rescaling(1 / 255)(inputs)
    for width, dropout in ((64, 0.3), (128, 0.3), (256, 0.4)):
        hidden = layers.Conv2D(width, 3, activation="relu")(hidden)
        hidden = layers.BatchNormalization()(hidden)
        hidden = layers.MaxPooling2D(2)(hidden)
        hidden = layers.Dropout(dropout)(hidden)
    hidden = layers.Flatten()(hidden)
    hidden = layers.Dense(512, activation="relu")(hidden)
    hidden = layers.Dropout(0.4)(hidden)
    return keras.Model(inputs, classify(hidden, classes), name="conv64_128_256")
