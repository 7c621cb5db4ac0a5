"""The threshold above which an image of two emotions shows the second one."""

from collections.abc import Sequence

import numpy as np

from emotion.core.errors import InputError
from emotion.core.files import METRIC_DECIMALS
from emotion.evaluation import metrics


def check_threshold(threshold: float, emotions: Sequence[str]) -> None:
    """Raise InputError where there are more than two emotions and `threshold` is not EVEN."""
    if len(emotions) > 2 and threshold != metrics.EVEN:
        raise InputError(
            f"evaluate.threshold: got {threshold}, expected {metrics.EVEN}, since a threshold decides between two "
            f"emotions only and there are {len(emotions)}; set it to {metrics.EVEN}"
        )


def choose_threshold(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the threshold with the best macro F1 on these images; of equally good ones, the one nearest to EVEN.

    Accuracy would favor the more common emotion, so macro F1 is used.

    All thresholds between two neighboring scores give the same predictions. So only the middle between each two, and
    EVEN, are tried. They are rounded to the decimals of metrics files, which then hold the exact threshold.

    Args:
        y_true: (n,) labels 0 and 1 of the validation split, never of another split.
        probabilities: (n, 2) of the same images.
    """
    scores = probabilities[:, 1]
    bounds = np.unique(np.concatenate([[0.0], scores, [1.0]]))
    middles = ((bounds[:-1] + bounds[1:]) / 2).round(METRIC_DECIMALS)
    candidates = np.unique(np.append(middles[(middles > 0) & (middles < 1)], metrics.EVEN))
    values = metrics.macro_f1(count_by_threshold(y_true, scores, candidates))
    best = candidates[values == values.max()]
    return float(best[np.argmin(np.abs(best - metrics.EVEN))])


def count_by_threshold(y_true: np.ndarray, scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return the confusion matrix of `predicted_labels` at each threshold, (thresholds, 2, 2) counts.

    Args:
        y_true: (n,) labels 0 and 1.
        scores: (n,) probabilities of label 1.
        thresholds: (thresholds,).
    """
    rows = []
    for label in (0, 1):
        own = np.sort(scores[y_true == label])
        below = np.searchsorted(own, thresholds, side="right")  # not above the threshold
        rows.append(np.stack([below, len(own) - below], axis=-1))
    return np.stack(rows, axis=-2)
