"""Distillation: a network learns the probabilities that one or several others give (Hinton et al. 2015).

According to Beyer et al. 2022 it matters most, in long trainings, that teacher and student get the same augmented
images. Teachers of unchanged images predict each of them once, which takes no longer than an epoch or two of that.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from emotion.model_files.probabilities import predict_probabilities
from emotion.training.distribution import share_predictions


class Teachers(keras.layers.Layer):
    """Images, uint8 (n, height, width, channels), to the mean of several networks' probabilities, float32 (n, units).

    A network that takes one size of images gets them resized to it.
    """

    def __init__(self, networks: Sequence[keras.Model]) -> None:
        super().__init__(name="teachers", dtype="float32", autocast=False)
        self.networks = list(networks)
        self.trainable = False

    def call(self, images: Any) -> Any:
        """Return the mean probabilities for `images`."""
        probabilities = [_resize_and_predict(network, images) for network in self.networks]
        return sum(probabilities) / len(probabilities)

    def compute_output_spec(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Return the shape and dtype of the probabilities that `call` gives."""
        return keras.KerasTensor((images.shape[0], self.networks[0].output_shape[-1]), dtype="float32")


def _resize_and_predict(network: keras.Model, images: Any) -> Any:
    size = network.input_shape[1:3]
    if None not in size and size != images.shape[1:3]:
        images = ops.image.resize(ops.cast(images, "float32"), size)
    return ops.stop_gradient(ops.cast(network(images, training=False), "float32"))


class DistillationLoss(keras.layers.Layer):
    """Passes the student's probabilities on, and adds to the loss how far they are from the teachers'.

    The loss that is added is `share` times the Kullback-Leibler divergence from teacher to student, the batch's mean.
    """

    def __init__(self, share: float) -> None:
        super().__init__(name="distillation_loss", dtype="float32", autocast=False)
        self.share = share

    def call(self, target: Any, probabilities: Any, training: bool | None = None) -> Any:
        """Take both as float32 (n, classes), or (n, 1), the probability of the second of two; return the latter."""
        if training:
            target, student = _columns(target), _columns(probabilities)
            divergence = ops.sum(target * (ops.log(target) - ops.log(student)), axis=1)
            self.add_loss(self.share * ops.mean(divergence))
        return probabilities

    def compute_output_spec(
        self, target: keras.KerasTensor, probabilities: keras.KerasTensor, training: bool | None = None
    ) -> keras.KerasTensor:
        """Return the shape and dtype of the probabilities that `call` gives."""
        return keras.KerasTensor(probabilities.shape, dtype="float32")


def teacher_probabilities(teachers: Teachers, images: np.ndarray, *, flip: bool) -> np.ndarray:
    """Return the teachers' probabilities for unchanged images, float32 (n, classes).

    Args:
        teachers: the layer that averages the teachers.
        images: uint8 (n, size, size, channels).
        flip: whether each image and its mirror image count the same.
    """
    inputs = keras.Input(images.shape[1:], dtype="uint8")
    model = share_predictions(keras.Model(inputs, teachers(inputs)))
    return predict_probabilities(model, images, flip=flip).astype(np.float32)


def _columns(probabilities: Any) -> Any:
    """Return (n, classes), above 0, of (n, classes), or of the probability of the second of two classes (n, 1)."""
    if probabilities.shape[1] == 1:
        probabilities = ops.concatenate([1 - probabilities, probabilities], axis=1)
    return ops.clip(probabilities, 1e-7, 1.0)
