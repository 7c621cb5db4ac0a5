"""The networks that `train.architecture` names, one a file.

Each `build(size, channels, classes)` returns an uncompiled keras.Model of stock layers that maps pictures,
uint8 0 to 255 of shape (n, size, size, channels), to probabilities of shape (n, classes). Scaling is inside.
"""

from collections.abc import Callable

import keras

from emotion.architectures import conv64_128_256, residual, residual_small
from emotion.errors import InputError

ARCHITECTURES: dict[str, Callable[[int | None, int, int], keras.Model]] = {
    "conv64_128_256": conv64_128_256.build,
    "residual": residual.build,
    "residual_small": residual_small.build,
}

ANY_SIZE = frozenset({"residual", "residual_small"})
"""The networks that take pictures of every size (`size` may be None), since they end in a global average."""


def build(name: str, size: int | None, channels: int, classes: int) -> keras.Model:
    """Build the network `name`; `size` is None for one that takes pictures of every size.

    Raises:
        InputError: no such network, or pictures of that size vanish in its layers.
    """
    if name not in ARCHITECTURES:
        raise InputError(f"train.architecture: got {name!r}, expected one of {', '.join(ARCHITECTURES)}")
    if size is None and name not in ANY_SIZE:
        raise InputError(
            f"train.smaller_first: {name} takes pictures of one size only; expected [] or one of the "
            f"architectures {', '.join(sorted(ANY_SIZE))}"
        )
    try:
        return ARCHITECTURES[name](size, channels, classes)
    except ValueError as error:
        raise InputError(
            f"features.size: {size} is too small for train.architecture {name}, whose convolutions and pooling "
            f"leave nothing of it; take a larger size ({error})"
        ) from None
