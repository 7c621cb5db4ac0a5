"""The output layer of every network: a sigmoid unit for two classes, a softmax for more.

The sigmoid unit gives the probability of label 1.
"""

import keras
from keras import layers


def units(classes: int) -> int:
    """Return how many probabilities a network gives per image: 1 for two classes, else one per class."""
    return 1 if classes == 2 else classes


def find_head(network: keras.Model) -> keras.layers.Layer:
    """Return the last layer with weights, whose bias is added to the logits of the classes."""
    return next(layer for layer in reversed(network.layers) if layer.weights)


def classify(hidden: keras.KerasTensor, classes: int) -> keras.KerasTensor:
    """Return probabilities, float32 (n, units), from features (n, width)."""
    return layers.Dense(units(classes), activation=_activation(classes), dtype="float32", name="probabilities")(hidden)


def classify_maps(hidden: keras.KerasTensor, classes: int) -> keras.KerasTensor:
    """Return probabilities, float32 (n, units), from the averages of maps (n, height, width, units)."""
    averages = layers.GlobalAveragePooling2D(dtype="float32")(hidden)
    return layers.Activation(_activation(classes), dtype="float32", name="probabilities")(averages)


def _activation(classes: int) -> str:
    return "sigmoid" if classes == 2 else "softmax"
