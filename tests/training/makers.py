"""What the tests of training share: params, images, networks of fixed answers, and what stands for a kill."""

import copy
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emotion.core.params import check_params, read_yaml
from emotion.data.images import to_input

CALM: dict[str, Any] = {"flip": False, "rotation": 0.0, "zoom": [1.0, 1.0], "shift": 0.0}
CALM |= {"brightness": 0.0, "contrast": 0.0, "erase": 0.0}
BY_HEART: dict[str, Any] = {"architecture": "residual_small", "epochs": 8, "label_smoothing": 0.0}
BY_HEART |= {"optimizer": "adam", "learning_rate": 0.001}
"""With these, and CALM, a few images are learned by heart."""
CONTENT = read_yaml(Path(__file__).parents[2] / "params.yaml")


def make_params(augmentation=None, **train_values):
    content = copy.deepcopy(CONTENT)
    content["augmentation"] |= augmentation or {}
    content["train"] |= {"architecture": "tiny", "epochs": 3, "warmup": 0.3333, "batch_size": 16} | train_values
    return check_params(content, "train", "augmentation", "compute")


def make_noise(count, seed, size=24):
    """Return random smooth images, and labels that have nothing to do with them."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (count, 4, 4, 1), dtype=np.uint8)
    images = np.stack([to_input(image, size, "grayscale") for image in coarse])
    return images, generator.integers(0, 3, count).astype(np.int32)


def make_constant_network(probabilities, size=4):
    """Return a network that gives the same probabilities for all images."""
    images = keras.Input((size, size, 1), dtype="uint8")
    dense = keras.layers.Dense(len(probabilities), "softmax")
    network = keras.Model(images, dense(keras.layers.Flatten()(images)))
    network.set_weights([np.zeros((size**2, len(probabilities))), np.log(probabilities)])
    return network


class InterruptionError(Exception):
    """What stands for a kill in these tests."""


def stop_after(last):
    """Return what raises InterruptionError after an epoch."""

    def after_epoch(row):
        if row["epoch"] == last:
            raise InterruptionError

    return after_epoch


def same(first, second):
    """Return whether two trainings had the same history and end with the same bits."""
    weights = zip(first.model.get_weights(), second.model.get_weights(), strict=True)
    return first.history == second.history and all((a == b).all() for a, b in weights)
