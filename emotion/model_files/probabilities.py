"""A model's probabilities for arrays of images, checked. Every stage and command that predicts uses this module."""

from typing import Protocol

import numpy as np

from emotion.core.errors import InputError

BATCH_SIZE = 256


class ProbabilityModel(Protocol):
    """A model whose outputs are probabilities, such as a `keras.Model`.

    Its outputs have the shape (n, classes). For two classes the shape may be (n, 1), the probability of label 1.
    """

    def predict(self, x: np.ndarray, *, batch_size: int, verbose: int) -> np.ndarray:
        """Return the probabilities for uint8 images (n, height, width, channels)."""
        ...


def predict_probabilities(
    model: ProbabilityModel, images: np.ndarray, *, flip: bool, batch_size: int = BATCH_SIZE
) -> np.ndarray:
    """Return the probability of each emotion for each image.

    Args:
        model: maps uint8 images (n, height, width, channels) to probabilities (n, classes), or (n, 1) of two classes.
        images: (n, height, width, channels), uint8, without augmentation.
        flip: whether to average the probabilities of each image and of its mirror image.
        batch_size: images per step. It affects only the speed and the last bits of the result.

    Returns:
        float64 of shape (n, classes); each row sums to 1. A single output p becomes the row 1 - p, p.

    Raises:
        InputError: there are no images, or the model's outputs are not probabilities (NaN, negative, or all zero;
            a single output above 1).
    """
    if not len(images):
        raise InputError(
            "got no images to evaluate, expected at least one; give the splits more images in split of params.yaml"
        )
    outputs = _predict_checked(model, images, batch_size)
    if flip:
        outputs = (outputs + _predict_checked(model, np.ascontiguousarray(images[:, :, ::-1]), batch_size)) / 2
    if outputs.shape[1] == 1:
        return np.hstack([1 - outputs, outputs])
    probabilities: np.ndarray = outputs / outputs.sum(axis=1, keepdims=True)
    return probabilities


def _predict_checked(model: ProbabilityModel, images: np.ndarray, batch_size: int) -> np.ndarray:
    outputs = np.asarray(model.predict(images, batch_size=batch_size, verbose=0), dtype=np.float64)
    if outputs.ndim != 2 or len(outputs) != len(images):
        raise InputError(
            f"the model's outputs have shape {outputs.shape}, expected ({len(images)}, classes): "
            "a row of probabilities for each image; use a model that `dvc repro` trained"
        )
    usable = _are_probabilities(outputs)
    if not usable.all():
        problem = "NaN, or not from 0 to 1" if outputs.shape[1] == 1 else "NaN, or below 0"
        raise InputError(
            f"the model's outputs are not probabilities for {np.sum(~usable)} of {len(images)} images ({problem}); "
            "training may have diverged: lower train.learning_rate and train again"
        )
    return outputs


def _are_probabilities(outputs: np.ndarray) -> np.ndarray:
    """Return whether each row of `outputs` holds probabilities, (n,) booleans."""
    valid = outputs[:, 0] <= 1 if outputs.shape[1] == 1 else outputs.sum(axis=1) > 0
    usable: np.ndarray = np.isfinite(outputs).all(axis=1) & (outputs >= 0).all(axis=1) & valid
    return usable
