"""What several networks are built from: convolutions without bias, and their batch normalisation."""

import keras
from keras import layers


def convolution(hidden: keras.KerasTensor, width: int, kernel_size: int = 3) -> keras.KerasTensor:
    """Convolve (n, height, width, channels) to `width` channels of the same height and width."""
    return layers.Conv2D(width, kernel_size, padding="same", use_bias=False, kernel_initializer="he_normal")(hidden)


def normalisation(hidden: keras.KerasTensor) -> keras.KerasTensor:
    """Normalise each channel of (n, height, width, channels) over the batch; averages follow within an epoch."""
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(hidden)


def normalised_convolution(hidden: keras.KerasTensor, width: int, kernel_size: int = 3) -> keras.KerasTensor:
    """Convolve, then normalise."""
    return normalisation(convolution(hidden, width, kernel_size))
