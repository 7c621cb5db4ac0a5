"""A model's probabilities for arrays of images, checked; every stage and command that evaluates uses this."""

from typing import Protocol

import numpy as np

from emotion.core.errors import InputError

BATCH_SIZE = 256


class ProbabilityModel(Protocol):
    """A model whose outputs are probabilities, such as a `keras.Model`.

    They have the shape (n, classes); or (n, 1), the probability of the second of two classes.
    """

    def predict(self, x: np.ndarray, *, batch_size: int, verbose: int) -> np.ndarray: ...


def predict_probabilities(
    model: ProbabilityModel, images: np.ndarray, *, flip: bool, batch_size: int = BATCH_SIZE
) -> np.ndarray:
    """Return the probability of each emotion for each image.

    Args:
        model: maps uint8 images (n, height, width, channels) to probabilities (n, classes), or (n, 1) of two classes.
        images: (n, height, width, channels), uint8, without augmentation.
        flip: whether to average the probabilities of each image and of its mirror image.
        batch_size: images per step; it changes speed and last bits only.

    Returns:
        float64 of shape (n, classes); each row sums to 1. One output p becomes the row 1 - p, p.

    Raises:
        InputError: there are no images, or the model's outputs are not probabilities (NaN, negative, or all zero;
            a single output above 1).
    """
    if not len(images):
        raise InputError("there are no images to evaluate; give the validation and test splits a share in params.yaml")
    outputs = _predict_checked(model, images, batch_size)
    if flip:
        outputs = (outputs + _predict_checked(model, np.ascontiguousarray(images[:, :, ::-1]), batch_size)) / 2
    if outputs.shape[1] == 1:
        return np.hstack([1 - outputs, outputs])
    return outputs / outputs.sum(axis=1, keepdims=True)


def _predict_checked(model: ProbabilityModel, images: np.ndarray, batch_size: int) -> np.ndarray:
    outputs = np.asarray(model.predict(images, batch_size=batch_size, verbose=0), dtype=np.float64)
    if outputs.ndim != 2 or len(outputs) != len(images):
        raise InputError(
            f"the model's outputs have shape {outputs.shape}, expected ({len(images)}, classes): "
            "a row of probabilities for each image"
        )
    usable = _are_probabilities(outputs)
    if not usable.all():
        problem = "NaN, or not from 0 to 1" if outputs.shape[1] == 1 else "NaN, or below 0"
        raise InputError(
            f"the model's outputs are not probabilities for {np.sum(~usable)} of {len(images)} images ({problem}); "
            "did training diverge? Lower train.learning_rate and train again"
        )
    return outputs


def _are_probabilities(outputs: np.ndarray) -> np.ndarray:
    """Return which rows can be used, (n,) booleans."""
    usable = np.isfinite(outputs).all(axis=1) & (outputs >= 0).all(axis=1)
    if outputs.shape[1] == 1:
        return usable & (outputs[:, 0] <= 1)
    return usable & (outputs.sum(axis=1) > 0)
