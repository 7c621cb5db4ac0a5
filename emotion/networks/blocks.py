"""Building blocks that several networks share: convolutions without bias, and batch normalization."""

from collections.abc import Callable, Sequence

import keras
from keras import layers


def convolution(hidden: keras.KerasTensor, width: int, kernel_size: int = 3) -> keras.KerasTensor:
    """Convolve (n, height, width, channels) to `width` channels of the same height and width."""
    return layers.Conv2D(width, kernel_size, padding="same", use_bias=False, kernel_initializer="he_normal")(hidden)


def normalization(hidden: keras.KerasTensor) -> keras.KerasTensor:
    """Normalize each channel of (n, height, width, channels) over the batch; moving averages settle within an epoch."""
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(hidden)


def normalized_convolution(hidden: keras.KerasTensor, width: int, kernel_size: int = 3) -> keras.KerasTensor:
    """Convolve (n, height, width, channels) to `width` channels, then normalize each of them."""
    return normalization(convolution(hidden, width, kernel_size))


def pooled_blocks(
    hidden: keras.KerasTensor, width: int, widths: Sequence[int], block: Callable[..., keras.KerasTensor]
) -> keras.KerasTensor:
    """Append a block for each of `widths`, with max pooling before the first and before each change of width.

    Args:
        hidden: maps (n, height, width, channels).
        width: the number of channels of `hidden`.
        widths: the number of channels after each block.
        block: called as `block(hidden, width, widened=...)`; `widened` is whether its input has another width.
    """
    for number, next_width in enumerate(widths):
        if number == 0 or next_width != width:
            hidden = layers.MaxPooling2D(2)(hidden)
        hidden = block(hidden, next_width, widened=next_width != width)
        width = next_width
    return hidden
