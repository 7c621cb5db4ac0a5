"""The figures of metrics/evaluate.json.

Accuracy, F1 and other figures of right and wrong use the predicted labels, which with two emotions depend on the
threshold. Log loss, calibration and the areas under curves use the probabilities, and do not depend on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from emotion.core.params import EvaluateParams
from emotion.evaluation import metrics
from emotion.evaluation.bootstrap import bootstrap_interval
from emotion.evaluation.calibration import expected_calibration_error, fit_temperature
from emotion.evaluation.curves import average_precision, roc_auc
from emotion.evaluation.threshold import choose_threshold


@dataclass(frozen=True)
class SplitPredictions:
    """A model's predictions on a split: labels `y_true` (n,) and `probabilities` (n, classes).

    `threshold` decides between two classes; with more it has no effect.
    """

    y_true: np.ndarray
    probabilities: np.ndarray
    threshold: float = metrics.EVEN

    def select(self, chosen: np.ndarray) -> "SplitPredictions":
        """Return the predictions for the images where `chosen` (n,) is true."""
        return replace(self, y_true=self.y_true[chosen], probabilities=self.probabilities[chosen])

    @property
    def classes(self) -> int:
        """How many emotions there are."""
        return self.probabilities.shape[1]

    @property
    def confusion(self) -> np.ndarray:
        """Counts (classes, classes), actual down and predicted across."""
        y_pred = metrics.predicted_labels(self.probabilities, self.threshold)
        return metrics.count_confusion(self.y_true, y_pred, self.classes)


def make_report(
    validation: SplitPredictions,
    test: SplitPredictions,
    *,
    unique: np.ndarray,
    emotions: Sequence[str],
    params: EvaluateParams,
) -> dict[str, Any]:
    """Return all figures, nested for `dvc metrics diff`.

    The temperature comes from the validation split alone; the test split is scored with it and chooses nothing.
    Two emotions also have the section `threshold`.

    Args:
        validation: the predictions on the validation split, with the threshold that is used.
        test: the predictions on the test split, with the same threshold.
        unique: (test images,) booleans, whether an image is nowhere else in the data set.
        emotions: the names of the labels, in their order.
        params: bins, bootstrap and seed.
    """
    temperature = fit_temperature(validation.y_true, validation.probabilities)
    report = {
        "test": score_split(test, temperature=temperature, params=params),
        "test_unique": score_split(test.select(unique), temperature=temperature, params=params),
        "by_class": score_by_class(test, emotions),
        "validation": score_validation(validation),
        "temperature": temperature,
    }
    if test.classes == 2:
        report["threshold"] = score_threshold(validation, test)
    return report


def find_unique(hashes: pd.Series) -> np.ndarray:
    """Return for each row of the whole table whether no other row has its pixel hash, (rows,) booleans."""
    return ~hashes.duplicated(keep=False).to_numpy()


def score_split(predictions: SplitPredictions, *, temperature: float, params: EvaluateParams) -> dict[str, float | int]:
    """Return the figures of one set of images; NaN where there are none. Means over classes leave absent ones out.

    Two emotions have no `top_2_accuracy`: it would always be 1.
    """
    y_true, probabilities, confusion = predictions.y_true, predictions.probabilities, predictions.confusion
    calibrated = metrics.apply_temperature(probabilities, temperature)
    draws = {"resamples": params.bootstrap, "seed": params.seed}
    accuracy_low, accuracy_high = bootstrap_interval(confusion, metrics.accuracy, **draws)
    macro_f1_low, macro_f1_high = bootstrap_interval(confusion, metrics.macro_f1, **draws)
    top_2 = {} if predictions.classes == 2 else {"top_2_accuracy": metrics.top_accuracy(y_true, probabilities, count=2)}
    return {
        "images": len(y_true),
        "accuracy": float(metrics.accuracy(confusion)),
        "accuracy_low": accuracy_low,
        "accuracy_high": accuracy_high,
        "balanced_accuracy": float(metrics.balanced_accuracy(confusion)),
        "macro_f1": float(metrics.macro_f1(confusion)),
        "macro_f1_low": macro_f1_low,
        "macro_f1_high": macro_f1_high,
        **top_2,
        "roc_auc": float(metrics.mean_of_known(roc_auc(y_true, probabilities))),
        "log_loss": metrics.log_loss(y_true, probabilities),
        "expected_calibration_error": expected_calibration_error(y_true, probabilities, bins=params.bins),
        "calibrated_log_loss": metrics.log_loss(y_true, calibrated),
        "calibrated_expected_calibration_error": expected_calibration_error(y_true, calibrated, bins=params.bins),
    }


def score_by_class(predictions: SplitPredictions, emotions: Sequence[str]) -> dict[str, dict[str, float | int]]:
    """Return precision, recall, F1, ROC AUC, average precision and support (images) of each emotion."""
    confusion = predictions.confusion
    columns = {
        "precision": metrics.precision(confusion),
        "recall": metrics.recall(confusion),
        "f1": metrics.f1(confusion),
        "roc_auc": roc_auc(predictions.y_true, predictions.probabilities),
        "average_precision": average_precision(predictions.y_true, predictions.probabilities),
        "support": confusion.sum(axis=1),
    }
    return {
        emotion: {name: values[label].item() for name, values in columns.items()}
        for label, emotion in enumerate(emotions)
    }


def score_validation(predictions: SplitPredictions) -> dict[str, float | int]:
    """Return the figures of the split on which epoch and temperature were chosen: they are too good for that reason."""
    confusion = predictions.confusion
    return {
        "images": len(predictions.y_true),
        "accuracy": float(metrics.accuracy(confusion)),
        "macro_f1": float(metrics.macro_f1(confusion)),
        "log_loss": metrics.log_loss(predictions.y_true, predictions.probabilities),
    }


def score_threshold(validation: SplitPredictions, test: SplitPredictions) -> dict[str, Any]:
    """Return the threshold of two emotions that is used, the one that validation would choose, and its figures.

    The test split is scored at both and chooses neither. The validation split's figures at its own choice are too good.
    """
    choice = choose_threshold(validation.y_true, validation.probabilities)
    return {
        "used": test.threshold,
        "validation_choice": choice,
        "at_validation_choice": {
            "validation": _score_at(choice, validation),
            "test": _score_at(choice, test),
        },
    }


def _score_at(threshold: float, predictions: SplitPredictions) -> dict[str, float]:
    confusion = replace(predictions, threshold=threshold).confusion
    return {
        "accuracy": float(metrics.accuracy(confusion)),
        "macro_f1": float(metrics.macro_f1(confusion)),
    }
