"""The residual network at twice the width: for a night on a processor, or minutes on a GPU."""

import keras

from emotion.networks.residual import build_residual

STEM = 64
WIDTHS = (96, 192, 192, 384, 384)


def build(size: int | None, channels: int, classes: int) -> keras.Model:
    """Build the network; see `emotion.networks.registry` for the shapes."""
    return build_residual(size, channels, classes, STEM, WIDTHS, name="residual_wide")
