"""Tables of predictions and of curves by emotion, for `dvc plots` and the stage `plot`.

Absent emotions have no curve.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from emotion.evaluation.calibration import reliability_bins
from emotion.evaluation.metrics import apply_temperature, most_probable_labels, predicted_labels

MOST_POINTS = 200
"""Maximum number of points of a curve. More cannot be seen, and the files are committed."""

ALL = "all"
"""Value of the column emotion in reliability.csv for the rows of all predicted emotions together."""


def tabulate_predictions(
    rows: Sequence[int],
    y_true: np.ndarray,
    probabilities: np.ndarray,
    emotions: Sequence[str],
    *,
    threshold: float,
) -> pd.DataFrame:
    """Return one row per image: row, actual, predicted, confidence, correct, and a probability for each emotion.

    `rows` are the rows of the images in the table of the data set, from 0. git shares the predictions, so they do not
    hold the images' names. The confidence is the probability of the predicted emotion. `threshold` is that of
    `predicted_labels`.
    """
    y_pred = predicted_labels(probabilities, threshold)
    names = np.asarray(emotions, dtype=object)
    columns = {
        "row": list(rows),
        "actual": names[y_true],
        "predicted": names[y_pred],
        "confidence": probabilities[np.arange(len(y_pred)), y_pred],
        "correct": y_true == y_pred,
    }
    return pd.DataFrame(columns | {name: probabilities[:, label] for label, name in enumerate(emotions)})


def roc_auc(y_true: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve of each emotion against all others, (classes,).

    NaN where the emotion is absent, or where every image shows it.
    """
    return _by_class(roc_auc_score, y_true, probabilities)


def average_precision(y_true: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the average precision of each emotion against all others, (classes,); NaN as for `roc_auc`."""
    return _by_class(average_precision_score, y_true, probabilities)


def tabulate_roc(y_true: np.ndarray, probabilities: np.ndarray, emotions: Sequence[str]) -> pd.DataFrame:
    """Return the columns emotion, false_positive_rate, true_positive_rate, threshold; each emotion against the rest.

    At most MOST_POINTS rows per emotion. The first point, where no image is predicted as the emotion, has the
    threshold 1.
    """
    curves = []
    for label in _with_both_kinds(y_true, probabilities):
        false_rate, true_rate, threshold = roc_curve(y_true == label, probabilities[:, label])
        # scikit-learn gives infinity for "above every score", which programs that read CSV do not understand.
        threshold = np.minimum(threshold, 1.0)
        kept = thin(false_rate, true_rate, most=MOST_POINTS)
        columns = {"false_positive_rate": false_rate, "true_positive_rate": true_rate, "threshold": threshold}
        curves.append(_thinned_curve(emotions[label], columns, kept))
    return _concatenate(curves, ["emotion", "false_positive_rate", "true_positive_rate", "threshold"])


def tabulate_precision_recall(y_true: np.ndarray, probabilities: np.ndarray, emotions: Sequence[str]) -> pd.DataFrame:
    """Return the columns emotion, recall, precision, threshold; each emotion against the rest, from recall 1 down.

    At most MOST_POINTS rows per emotion. Each recall has one row, with the best precision that reaches it, so the area
    under the steps is the average precision. Recall 0 is left out: without predictions there is no precision.
    """
    curves = []
    for label in _with_both_kinds(y_true, probabilities):
        precision, recall, threshold = precision_recall_curve(y_true == label, probabilities[:, label])
        best = np.flatnonzero(np.diff(recall) < 0)  # the highest threshold of each recall
        recall, precision, threshold = recall[best], precision[best], threshold[best]
        kept = thin(recall, precision, most=MOST_POINTS)
        columns = {"recall": recall, "precision": precision, "threshold": threshold}
        curves.append(_thinned_curve(emotions[label], columns, kept))
    return _concatenate(curves, ["emotion", "recall", "precision", "threshold"])


def tabulate_reliability(
    y_true: np.ndarray, probabilities: np.ndarray, emotions: Sequence[str], *, temperature: float, bins: int
) -> pd.DataFrame:
    """Return the columns calibration, emotion, bin_low, bin_high, confidence, accuracy, images.

    The calibration is `raw` or `temperature`. The emotion is ALL or the name of an emotion.

    In rows of ALL, confidence is the largest probability, and accuracy is the share of images whose most probable
    emotion is right. The threshold has no effect. In rows of an emotion, confidence is its probability, and accuracy
    is the share of images that show it.
    """
    calibrations = {"raw": probabilities, "temperature": apply_temperature(probabilities, temperature)}
    tables = []
    for calibration, values in calibrations.items():
        right = most_probable_labels(values) == y_true
        rows = {ALL: reliability_bins(values.max(axis=1), right, bins=bins)}
        for label, emotion in enumerate(emotions):
            if np.any(y_true == label):
                rows[emotion] = reliability_bins(values[:, label], y_true == label, bins=bins)
        tables += [table.assign(calibration=calibration, emotion=name) for name, table in rows.items()]
    columns = ["calibration", "emotion", "bin_low", "bin_high", "confidence", "accuracy", "images"]
    return pd.concat(tables, ignore_index=True)[columns]


def thin(x: np.ndarray, y: np.ndarray, *, most: int) -> np.ndarray:
    """Return the indices of at most `most` points of a curve, evenly spaced along it and with both ends."""
    if len(x) <= most:
        return np.arange(len(x))
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    indices = np.searchsorted(length, np.linspace(0, length[-1], most), side="left")
    indices[-1] = len(x) - 1
    return np.unique(indices)


def _by_class(score: Callable[..., float], y_true: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    values = np.full(probabilities.shape[1], np.nan)
    for label in _with_both_kinds(y_true, probabilities):
        values[label] = score(y_true == label, probabilities[:, label])
    return values


def _with_both_kinds(y_true: np.ndarray, probabilities: np.ndarray) -> list[int]:
    """Return the labels that some images have and others lack. Other labels have no curve."""
    return [label for label in range(probabilities.shape[1]) if 0 < np.sum(y_true == label) < len(y_true)]


def _thinned_curve(emotion: str, columns: dict[str, np.ndarray], kept: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"emotion": emotion} | {name: values[kept] for name, values in columns.items()})


def _concatenate(curves: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=columns)
