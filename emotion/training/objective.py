"""The loss that training lowers, and the accuracy that it reports."""

from typing import Any

import keras
import numpy as np
from keras import ops

from emotion.core.params import TrainParams


def compile_network(network: keras.Model, params: TrainParams, classes: int, **more: Any) -> None:
    """Compile `network` with loss and accuracy, and make their counters.

    Counters that are made in the first step have TensorFlow trace that step twice.

    Args:
        network: gives probabilities, (n, classes), or (n, 1) for two classes.
        params: says how far labels are smoothed.
        classes: how many classes there are.
        more: further arguments of `keras.Model.compile`.
    """
    network.compile(loss=make_loss(params, classes), metrics=[make_accuracy(classes)], **more)
    some = ops.ones((1, network.output_shape[-1]))
    network.compute_metrics(None, some, some)
    network.reset_metrics()


def score(targets: np.ndarray, probabilities: np.ndarray, params: TrainParams) -> tuple[float, float]:
    """Return loss and accuracy of probabilities, as `evaluate` of a compiled network does.

    Args:
        targets: float32 (n, classes), or (n, 1) for two classes.
        probabilities: as `targets`.
        params: says how far labels are smoothed.
    """
    two_classes = targets.shape[1] == 1
    right = _larger_share_accuracy if two_classes else keras.metrics.categorical_accuracy
    loss = make_loss(params, 2 if two_classes else targets.shape[1])
    return float(loss(targets, probabilities)), float(ops.mean(right(targets, probabilities)))


def make_loss(params: TrainParams, classes: int) -> keras.losses.Loss:
    """Return the crossentropy of as many classes."""
    if classes == 2:
        return keras.losses.BinaryCrossentropy(label_smoothing=params.label_smoothing)
    return keras.losses.CategoricalCrossentropy(label_smoothing=params.label_smoothing)


def make_accuracy(classes: int) -> keras.metrics.Metric:
    """Return a metric named accuracy; for mixed images it counts the emotion with the larger share."""
    if classes == 2:
        return keras.metrics.MeanMetricWrapper(_larger_share_accuracy, name="accuracy")
    return keras.metrics.CategoricalAccuracy(name="accuracy")


def _larger_share_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Return 1 where both are on the same side of 0.5; `keras.metrics.BinaryAccuracy` takes whole targets only."""
    return ops.cast(ops.equal(y_true > 0.5, y_pred > 0.5), "float32")
