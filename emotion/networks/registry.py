"""The networks that `train.architecture` names, one a file.

Each `build(size, channels, classes)` returns an uncompiled keras.Model of Keras' own layers. It takes images, uint8
from 0 to 255 of shape (n, size, size, channels), and scales them itself. It returns probabilities, float32 of shape
(n, classes). For two classes the shape is (n, 1), the probability of label 1.
"""

from collections.abc import Callable
from itertools import count

import keras

from emotion.core.errors import InputError
from emotion.networks import (
    conv16_32_16,
    conv32_64,
    conv64_128,
    conv64_128_256,
    conv_dropout,
    face_residual,
    mini_xception,
    residual,
    residual_small,
    residual_wide,
    se_resnet,
    vgg_bn,
)

ARCHITECTURES: dict[str, Callable[[int | None, int, int], keras.Model]] = {
    "conv16_32_16": conv16_32_16.build,
    "conv32_64": conv32_64.build,
    "conv64_128": conv64_128.build,
    "conv64_128_256": conv64_128_256.build,
    "conv_dropout": conv_dropout.build,
    "face_residual": face_residual.build,
    "mini_xception": mini_xception.build,
    "residual": residual.build,
    "residual_small": residual_small.build,
    "residual_wide": residual_wide.build,
    "se_resnet": se_resnet.build,
    "vgg_bn": vgg_bn.build,
}

ANY_SIZE = frozenset(
    {"face_residual", "mini_xception", "residual", "residual_small", "residual_wide", "se_resnet", "vgg_bn"}
)
"""The networks that take images of every size (`size` may be None), since they end in a global average."""

BINARY = frozenset({"conv16_32_16", "conv32_64"})
"""The networks that support two classes only."""


def build(name: str, size: int | None, channels: int, classes: int) -> keras.Model:
    """Build the network `name`; `size` is None for one that takes images of every size.

    Raises:
        InputError: no such network exists; or it does not support this size or number of classes; or its layers
            reduce images of that size to nothing.
    """
    if name not in ARCHITECTURES:
        raise InputError(f"train.architecture: got {name!r}, expected one of {', '.join(ARCHITECTURES)}")
    if name in BINARY and classes != 2:
        raise InputError(
            f"train.architecture: got {name}, which tells two classes apart, but labels.scheme has {classes}; expected "
            "labels.scheme happy_sad or another one of two classes, or one of the architectures "
            f"{', '.join(sorted(ARCHITECTURES.keys() - BINARY))}"
        )
    if size is None and name not in ANY_SIZE:
        raise InputError(
            f"train.progressive_sizes: {name} takes images of one size only; expected [], or one of the "
            f"architectures {', '.join(sorted(ANY_SIZE))}"
        )
    network = _build_if_large_enough(name, size, channels, classes)
    if network is None:
        raise InputError(
            f"features.image_size: got {size}, which is too small for the layers of train.architecture {name}; "
            f"expected at least {smallest_size(name, channels, classes)}"
        )
    return network


def smallest_size(name: str, channels: int, classes: int) -> int:
    """Return the smallest image size, in pixels, that the layers of network `name` support."""
    return next(size for size in count(1) if _build_if_large_enough(name, size, channels, classes) is not None)


def _build_if_large_enough(name: str, size: int | None, channels: int, classes: int) -> keras.Model | None:
    """Build the network, or return None where images of that size are too small for its layers."""
    try:
        return ARCHITECTURES[name](size, channels, classes)
    except ValueError as error:
        if "output size would be zero or negative" not in str(error):
            raise
        return None
