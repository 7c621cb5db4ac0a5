"""Figures of a classifier, from a matrix of counts or from probabilities.

In all functions, `y_true` and `y_pred` are (n,) integer labels. `probabilities` is (n, classes), and its rows sum to
1. A `confusion` is (..., classes, classes) counts, with actual emotions down and predicted ones across. Its leading
axes hold any number of matrices at once, as the bootstrap needs.

An emotion with no image in `y_true` is absent. Means over classes leave absent emotions out, since their recall has
no value. An image predicted as one of them is already a mistake of the emotion that it shows. A figure without a
value is NaN, never 0, and gives no warning.
"""

import numpy as np

SMALLEST_PROBABILITY = 1e-7
"""Lower bound of probabilities before a logarithm, so that one sure mistake costs 16.1 nats, not infinity."""

EVEN = 0.5
"""The threshold at which the more probable one of two emotions is predicted."""


def predicted_labels(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """Return the predicted label of each image, (n,). Every figure of right and wrong uses this rule.

    Of two emotions, the second one is predicted where its probability is above `threshold`. Of more emotions, the
    most probable one is predicted, and `threshold` has no effect.
    """
    if probabilities.shape[1] == 2:
        return (probabilities[:, 1] > threshold).astype(np.int64)
    return most_probable_labels(probabilities)


def most_probable_labels(probabilities: np.ndarray) -> np.ndarray:
    """Return the label with the largest probability, (n,); of equal ones the lowest label."""
    labels: np.ndarray = np.argmax(probabilities, axis=1)
    return labels


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return softmax(log(probabilities) / temperature), (n, classes); a temperature of 1 changes nothing."""
    logits = np.log(np.clip(probabilities, SMALLEST_PROBABILITY, 1.0)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    scaled: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return scaled


def count_confusion(y_true: np.ndarray, y_pred: np.ndarray, classes: int) -> np.ndarray:
    """Return the (classes, classes) counts of images by actual (down) and predicted (across) label.

    Raises:
        ValueError: the lengths differ, or a label is not in 0 to classes - 1.
    """
    if len(y_true) != len(y_pred):
        raise ValueError(f"got {len(y_true)} actual and {len(y_pred)} predicted labels, expected as many of both")
    labels = np.concatenate([y_true, y_pred])
    if len(labels) and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(f"got labels from {labels.min()} to {labels.max()}, expected 0 to {classes - 1}")
    cells = np.asarray(y_true, dtype=np.int64) * classes + np.asarray(y_pred, dtype=np.int64)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def accuracy(confusion: np.ndarray) -> np.ndarray:
    """Return the share of images that are predicted right, shape (...), 0 to 1."""
    return _ratio(_hits(confusion).sum(axis=-1), confusion.sum(axis=(-2, -1)))


def precision(confusion: np.ndarray) -> np.ndarray:
    """Return the precision of each emotion, shape (..., classes), 0 to 1.

    It is the share of right predictions among the images predicted as the emotion. NaN where the emotion is absent or
    was never predicted.
    """
    return np.where(_present(confusion), _ratio(_hits(confusion), confusion.sum(axis=-2)), np.nan)


def recall(confusion: np.ndarray) -> np.ndarray:
    """Return the recall of each emotion, shape (..., classes), 0 to 1; NaN where the emotion is absent.

    It is the share of the emotion's images that are predicted right.
    """
    return _ratio(_hits(confusion), confusion.sum(axis=-1))


def f1(confusion: np.ndarray) -> np.ndarray:
    """Return 2 TP / (2 TP + FP + FN) by emotion, shape (..., classes).

    NaN where the emotion is absent, even when some image is predicted as it; 0 where it is present and was never
    predicted.
    """
    scores = _ratio(2 * _hits(confusion), confusion.sum(axis=-1) + confusion.sum(axis=-2))
    return np.where(_present(confusion), scores, np.nan)


def balanced_accuracy(confusion: np.ndarray) -> np.ndarray:
    """Return the mean recall of the emotions present, shape (...), 0 to 1."""
    return mean_of_known(recall(confusion))


def macro_f1(confusion: np.ndarray) -> np.ndarray:
    """Return the mean F1 of the emotions present, shape (...), 0 to 1.

    This equals scikit-learn's `f1_score(..., average="macro")` where no emotion is absent. scikit-learn also averages
    the 0 of an absent emotion that was predicted for some image.
    """
    return mean_of_known(f1(confusion))


def log_loss(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean negative logarithm (nats) of the probability of the actual emotion; NaN for no images."""
    if not len(y_true):
        return float("nan")
    chosen = probabilities[np.arange(len(y_true)), y_true]
    return float(-np.log(np.clip(chosen, SMALLEST_PROBABILITY, 1.0)).mean())


def top_accuracy(y_true: np.ndarray, probabilities: np.ndarray, *, count: int) -> float:
    """Return the share of images whose emotion is among the `count` most probable; NaN for no images.

    Equal probabilities rank by label, so that `count=1` gives the accuracy of `most_probable_labels`.
    """
    if not len(y_true):
        return float("nan")
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    return float((best == np.asarray(y_true)[:, None]).any(axis=1).mean())


def mean_of_known(values: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis without NaN values; NaN where all are NaN."""
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0).sum(axis=-1), known.sum(axis=-1))


def _hits(confusion: np.ndarray) -> np.ndarray:
    hits: np.ndarray = np.diagonal(confusion, axis1=-2, axis2=-1)
    return hits


def _present(confusion: np.ndarray) -> np.ndarray:
    present: np.ndarray = confusion.sum(axis=-1) > 0
    return present


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide, with NaN and no warning where the denominator is 0."""
    result = np.full(np.shape(denominator), np.nan)
    ratio: np.ndarray = np.divide(numerator, denominator, out=result, where=np.asarray(denominator) > 0)
    return ratio
