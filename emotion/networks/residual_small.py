"""The residual network at a third of the width: the default, quick to train on a laptop."""

import keras

from emotion.networks.residual import build_residual

STEM = 16
WIDTHS = (16, 32, 32, 64, 64)


def build(size: int | None, channels: int, classes: int) -> keras.Model:
    """Build the network; see `emotion.networks.registry` for the shapes."""
    return build_residual(size, channels, classes, STEM, WIDTHS, name="residual_small")
