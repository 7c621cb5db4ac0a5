"""The figures of metrics/evaluate.json.

Accuracy, F1 and other figures of right and wrong use the predicted labels. With two emotions, these depend on the
threshold. Log loss, calibration and the areas under curves use the probabilities and do not depend on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from emotion.core.params import EvaluateParams
from emotion.evaluation import metrics
from emotion.evaluation.bootstrap import bootstrap_interval
from emotion.evaluation.calibration import expected_calibration_error, fit_temperature
from emotion.evaluation.curves import average_precision, roc_auc
from emotion.evaluation.threshold import choose_threshold


class ScoreSettings(Protocol):
    """The settings of calibration and intervals: those of the params, or those of a command."""

    @property
    def bins(self) -> int:
        """Number of ranges of confidence for the calibration error."""
        ...

    @property
    def bootstrap(self) -> int:
        """Number of draws for the intervals."""
        ...

    @property
    def seed(self) -> int:
        """Seed of the draws."""
        ...


@dataclass(frozen=True)
class SplitPredictions:
    """A model's predictions on a split: labels `y_true` (n,) and `probabilities` (n, classes).

    `threshold` decides between two classes; with more it has no effect. `groups` (n,) are the numbers of the images'
    groups as `number_groups` returns them; None where there are no groups.
    """

    y_true: np.ndarray
    probabilities: np.ndarray
    threshold: float = metrics.EVEN
    groups: np.ndarray | None = None

    def select(self, chosen: np.ndarray) -> "SplitPredictions":
        """Return the predictions for the images where `chosen` (n,) is true."""
        groups = None if self.groups is None else self.groups[chosen]
        return replace(self, y_true=self.y_true[chosen], probabilities=self.probabilities[chosen], groups=groups)

    @property
    def classes(self) -> int:
        """The number of emotions."""
        return int(self.probabilities.shape[1])

    @property
    def confusion(self) -> np.ndarray:
        """Counts (classes, classes), actual down and predicted across."""
        y_pred = metrics.predicted_labels(self.probabilities, self.threshold)
        return metrics.count_confusion(self.y_true, y_pred, self.classes)

    @property
    def resampled(self) -> np.ndarray:
        """The counts that the bootstrap draws from: `confusion`, or that of each group, (groups, classes, classes)."""
        if self.groups is None:
            return self.confusion
        present, members = np.unique(self.groups, return_inverse=True)
        confusions = np.zeros((len(present), self.classes, self.classes), np.int64)
        y_pred = metrics.predicted_labels(self.probabilities, self.threshold)
        np.add.at(confusions, (members, self.y_true, y_pred), 1)
        return confusions


def make_report(
    validation: SplitPredictions,
    test: SplitPredictions,
    *,
    unique: np.ndarray,
    emotions: Sequence[str],
    params: EvaluateParams,
) -> dict[str, Any]:
    """Return all figures, nested by split and class.

    The temperature is fitted on the validation split. No choice is made on the test split. With two emotions there is
    also the section `threshold`. With groups there is also `bootstrap_by`, whose value is `group`.

    Args:
        validation: the predictions on the validation split, with the threshold that is used.
        test: the predictions on the test split, with the same threshold.
        unique: (test images,) booleans: true where no other image of the data set has the same pixels.
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
    if test.groups is not None:
        report["bootstrap_by"] = "group"
    if test.classes == 2:
        report["threshold"] = score_threshold(validation, test)
    return report


def summarize_report(report: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the figures of a report of `make_report` that `dvc metrics diff` shows: five, and the gaps by column.

    A gap is the largest one of accuracy between two groups of a column of `evaluate.groups`. The names of the figures
    are short, so that `dvc metrics show` fits a terminal of 100 columns.
    """
    test, validation = report["test"], report["validation"]
    gaps = {name: column["largest_gap"] for name, column in report.get("groups", {}).items()}
    known = {name: gap["accuracy_difference"] for name, gap in gaps.items() if gap is not None}
    return {
        "test": {"accuracy": test["accuracy"], "macro_f1": test["macro_f1"], "logloss": test["log_loss"]},
        "val": {"accuracy": validation["accuracy"], "logloss": validation["log_loss"]},
        **({"gap": known} if known else {}),
    }


def number_groups(groups: pd.Series) -> np.ndarray | None:
    """Return the number of each row's group, (rows,); None where all are empty. An empty one stands for itself."""
    if not (groups != "").any():
        return None
    codes = pd.factorize(groups)[0]
    alone = (groups == "").to_numpy()
    return np.where(alone, len(codes) + np.arange(len(codes)), codes)


def find_unique(hashes: pd.Series) -> np.ndarray:
    """Return whether the pixel hash of each row occurs once in the whole table, (rows,) booleans."""
    return ~hashes.duplicated(keep=False).to_numpy()


def score_split(predictions: SplitPredictions, *, temperature: float, params: ScoreSettings) -> dict[str, float | int]:
    """Return the figures of one set of images; NaN where there are none. Means over classes leave absent ones out.

    With two emotions there is no `top_2_accuracy`, since it would always be 1. `groups` is the number of groups, where
    there are some; an image without one counts as one.
    """
    y_true, probabilities, confusion = predictions.y_true, predictions.probabilities, predictions.confusion
    resampled = predictions.resampled
    calibrated = metrics.apply_temperature(probabilities, temperature)
    draws = {"resamples": params.bootstrap, "seed": params.seed}
    accuracy_low, accuracy_high = bootstrap_interval(resampled, metrics.accuracy, **draws)
    macro_f1_low, macro_f1_high = bootstrap_interval(resampled, metrics.macro_f1, **draws)
    top_2 = {} if predictions.classes == 2 else {"top_2_accuracy": metrics.top_accuracy(y_true, probabilities, count=2)}
    return {
        "images": len(y_true),
        **({} if predictions.groups is None else {"groups": len(resampled)}),
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
    """Return the figures of the validation split.

    They are optimistic, since the epoch and the temperature were chosen on this split.
    """
    confusion = predictions.confusion
    return {
        "images": len(predictions.y_true),
        "accuracy": float(metrics.accuracy(confusion)),
        "macro_f1": float(metrics.macro_f1(confusion)),
        "log_loss": metrics.log_loss(predictions.y_true, predictions.probabilities),
    }


def score_threshold(validation: SplitPredictions, test: SplitPredictions) -> dict[str, Any]:
    """Return the threshold in use, the one that the validation split would choose, and the figures at that choice.

    Nothing is chosen on the test split. The validation split's figures at its choice are optimistic.
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
