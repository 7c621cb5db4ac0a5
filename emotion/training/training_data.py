"""The arrays that a training gets: images, labels and people's votes."""

from dataclasses import dataclass

import numpy as np

from emotion.core.metadata import CHANNELS


@dataclass(frozen=True)
class TrainingData:
    """Images and labels of two splits.

    Attributes:
        x_train: images, uint8 (n, size, size, channels).
        y_train: labels, int (n,).
        x_val: images of the validation split, as `x_train`.
        y_val: labels of the validation split, as `y_train`.
        votes_train: how many people chose which emotion for each training image, int (n, classes). Where they are
            there, training aims at the shares of the votes in place of the labels (Barsoum et al. 2016).
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    votes_train: np.ndarray | None = None

    @property
    def size(self) -> int:
        """Height and width of the images in pixels."""
        return int(self.x_train.shape[1])

    @property
    def channels(self) -> int:
        """Number of channels of the images."""
        return int(self.x_train.shape[3])

    @property
    def color(self) -> str:
        """Name of the color mode with that many channels."""
        return next(color for color, channels in CHANNELS.items() if channels == self.channels)

    @property
    def arrays(self) -> list[np.ndarray]:
        """All arrays, without the votes where there are none."""
        arrays = [self.x_train, self.y_train, self.x_val, self.y_val, self.votes_train]
        return [array for array in arrays if array is not None]
