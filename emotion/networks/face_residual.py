"""The residual network of dlib's face recognition, for emotions: 5.6 million parameters.

Davis King trained it in 2017 to tell people apart by images of 150x150 pixels. `tools.face_weights` takes his weights
over. Here images are enlarged to twice their size first, since faces of 48 pixels would shrink to one place in the last
blocks. Its pooled shortcuts get more channels by a convolution of 1x1 in place of channels of zeros.
"""

import keras
from keras import layers

from emotion.networks.blocks import normalization
from emotion.networks.head import classify

ENLARGEMENT = 2
STEM = 32
BLOCKS = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))
"""Width and number of blocks at each size. Each size but the first is half of the one before."""


def build(size: int | None, channels: int, classes: int) -> keras.Model:
    """Build the network; see `emotion.networks.registry` for the shapes."""
    inputs = keras.Input((size, size, channels), dtype="uint8", name="image")
    hidden = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    # Together these two interpolate. UpSampling2D interpolates images of one size only.
    hidden = layers.UpSampling2D(ENLARGEMENT)(hidden)
    hidden = layers.AveragePooling2D(2, strides=1, padding="same")(hidden)
    hidden = layers.ReLU()(_convolution(hidden, STEM, 7, strides=2))
    hidden = layers.MaxPooling2D(3, 2, padding="same")(hidden)
    for number, (width, blocks) in enumerate(BLOCKS):
        for block in range(blocks):
            hidden = _residual_block(hidden, width, halved=number > 0 and block == 0)
    hidden = layers.GlobalAveragePooling2D()(hidden)
    hidden = layers.Dropout(0.3)(hidden)
    return keras.Model(inputs, classify(hidden, classes), name="face_residual")


def _residual_block(hidden: keras.KerasTensor, width: int, *, halved: bool) -> keras.KerasTensor:
    shortcut = layers.AveragePooling2D(2, padding="same")(hidden) if halved else hidden
    if shortcut.shape[-1] != width:
        shortcut = _convolution(shortcut, width, 1)
    hidden = layers.ReLU()(_convolution(hidden, width, 3, strides=2 if halved else 1))
    hidden = _convolution(hidden, width, 3)
    return layers.ReLU()(layers.Add()([hidden, shortcut]))


def _convolution(hidden: keras.KerasTensor, width: int, kernel_size: int, strides: int = 1) -> keras.KerasTensor:
    options = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"}
    return normalization(layers.Conv2D(width, kernel_size, strides=strides, **options)(hidden))
