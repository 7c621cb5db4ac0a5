"""Errors by group: the figures of the images with each value of a column, such as `sex` or `age_group`.

An image without a value is in the group `(empty)`. Nothing guesses a group from an image.

Three cautions belong to every reader of these figures:

- The largest gap lies between the groups whose accuracies differ most in these very images. So it is larger than the
  gap of the same two groups in new images, and more so the more groups there are. Its interval is that of the two
  named groups, not corrected for their choice. The gap that chance alone may reach stands beside it.
- Groups may show the emotions in other shares, and some emotions are easier. So compare balanced accuracy and recall
  by emotion before accuracy.
- The expected calibration error is never negative, so chance makes it larger in smaller groups. Confidence less
  accuracy has no such bias and can be compared between groups of any sizes.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from emotion.evaluation import metrics
from emotion.evaluation.bootstrap import percentile_interval, resample
from emotion.evaluation.calibration import number_bins
from emotion.evaluation.group_columns import EMPTY, sort_values
from emotion.evaluation.report import ScoreSettings, SplitPredictions

FEWEST_IMAGES = 30
"""A group of fewer images is named with their number and not scored."""

FEWEST_OF_EMOTION = 10
"""Recall of an emotion in a group needs so many images of it."""

CHANCE = 0.95
"""The share of resamples of equally accurate groups whose largest gap is below the one that is given for chance."""


def group_figures(
    columns: Mapping[str, Sequence[str]],
    predictions: SplitPredictions,
    emotions: Sequence[str],
    *,
    temperature: float,
    params: ScoreSettings,
) -> dict[str, Any]:
    """Return the figures of each group, and the largest gap between two, by column.

    Intervals are those of 95 % by bootstrap over the groups of `predictions`, which are persons or sequences, or over
    images where there are none. An interval has no value (NaN) where the resamples do not differ: there is one person,
    or every image is right.

    Args:
        columns: for each column, the value of each image in the order of `predictions`, as `select_columns` returns
            them; an empty text counts as EMPTY.
        predictions: of the scored images.
        emotions: the names of the labels, in their order.
        temperature: of calibration, as the validation split gave it; 1 for none.
        params: bins, bootstrap and seed.

    Returns:
        For each column `values` and `largest_gap`. `values` holds for each value `images` and, from FEWEST_IMAGES of
        them, accuracy, balanced_accuracy, calibrated_overconfidence, calibrated_expected_calibration_error and recall
        by emotion. `largest_gap` is that of accuracy; None where fewer than two groups are scored.
    """
    score = partial(_score_group, emotions=emotions, temperature=temperature, params=params)
    figures = {}
    for name, texts in columns.items():
        values = np.array([text or EMPTY for text in texts], dtype=object)
        parts = {value: predictions.select(values == value) for value in sort_values(values)}
        scored = {value: part for value, part in parts.items() if len(part.y_true) >= FEWEST_IMAGES}
        figures[name] = {
            "values": {
                value: score(part) if value in scored else {"images": len(part.y_true)} for value, part in parts.items()
            },
            "largest_gap": find_largest_gap(values, list(scored), predictions, params) if len(scored) > 1 else None,
        }
    return figures


def find_largest_gap(
    values: np.ndarray, scored: Sequence[str], predictions: SplitPredictions, params: ScoreSettings
) -> dict[str, Any]:
    """Return the two values with the largest difference of accuracy, the difference, its interval and that of chance.

    The resamples are paired: each draws persons (or images) once, for all values. So a person with images of two
    values counts in both.

    Chance is judged by the deviations of the resamples from the accuracies of these images. They are those of equally
    accurate groups around zero. So the range between the largest and the smallest one is a largest gap by chance: a
    bootstrap of Tukey's range.

    Args:
        values: (n,) the value of each image.
        scored: at least two of them, in their order.
        predictions: of the n images.
        params: bootstrap and seed.

    Returns:
        The values `higher` and `lower`; accuracy_difference, 0 to 1, with _low and _high, -1 to 1; and
        accuracy_difference_by_chance, below which equally accurate groups stay in the share CHANCE of samples. NaN
        where the resamples do not differ.
    """
    chosen = np.isin(values.astype(str), scored)
    used = predictions.select(chosen)
    places = np.array([scored.index(value) for value in values[chosen]])
    hits = metrics.predicted_labels(used.probabilities, used.threshold) == used.y_true
    counts = _sum_by_unit(used, places, np.stack([hits, np.ones(len(hits))], axis=1), count=len(scored))
    accuracies = _shares(counts.sum(axis=0))
    drawn = _shares(resample(counts, resamples=params.bootstrap, seed=params.seed))
    higher, lower = int(accuracies.argmax()), int(accuracies.argmin())
    deviations = drawn - accuracies
    by_chance = np.nanmax(deviations, axis=1) - np.nanmin(deviations, axis=1)
    return {
        "higher": scored[higher],
        "lower": scored[lower],
        **_figure("accuracy_difference", accuracies[higher] - accuracies[lower], drawn[:, higher] - drawn[:, lower]),
        "accuracy_difference_by_chance": float(np.quantile(by_chance, CHANCE)) if by_chance.any() else float("nan"),
    }


def _score_group(
    part: SplitPredictions, *, emotions: Sequence[str], temperature: float, params: ScoreSettings
) -> dict[str, Any]:
    confusion, resampled = part.confusion, part.resampled
    draws = resample(resampled, resamples=params.bootstrap, seed=params.seed)
    return {
        "images": len(part.y_true),
        **({} if part.groups is None else {"groups": len(resampled)}),
        **_figure("accuracy", metrics.accuracy(confusion), metrics.accuracy(draws)),
        **_figure("balanced_accuracy", metrics.balanced_accuracy(confusion), metrics.balanced_accuracy(draws)),
        **_score_calibration(part, temperature, params),
        "recall": _score_recall(confusion, draws, emotions),
    }


def _score_recall(confusion: np.ndarray, draws: np.ndarray, emotions: Sequence[str]) -> dict[str, Any]:
    """Return recall with its interval by emotion; of fewer than FEWEST_OF_EMOTION images their number alone."""
    support, recalls, drawn = confusion.sum(axis=1), metrics.recall(confusion), metrics.recall(draws)
    return {
        emotion: {"images": int(support[label])}
        | (_figure("recall", recalls[label], drawn[:, label]) if support[label] >= FEWEST_OF_EMOTION else {})
        for label, emotion in enumerate(emotions)
    }


def _score_calibration(part: SplitPredictions, temperature: float, params: ScoreSettings) -> dict[str, float]:
    """Return confidence less accuracy, and the expected calibration error, of the most probable emotion.

    The error of a resample is larger than that of the images, by about as much as theirs is larger than that of all
    images there could be. So its interval is the reflected one (Davison and Hinkley 1997, section 5.2: basic), from 0
    and at least up to the error.
    """
    calibrated = metrics.apply_temperature(part.probabilities, temperature)
    confidence, hits = calibrated.max(axis=1), metrics.most_probable_labels(calibrated) == part.y_true
    sums = np.stack([np.ones(len(hits)), confidence, hits], axis=1)
    counts = _sum_by_unit(part, number_bins(confidence, bins=params.bins), sums, count=params.bins)
    whole, draws = counts.sum(axis=0), resample(counts, resamples=params.bootstrap, seed=params.seed)
    error = _calibration_error(whole)
    reflected = np.maximum(2 * error - _calibration_error(draws), 0)
    figure = _figure("calibrated_expected_calibration_error", error, reflected)
    highest = "calibrated_expected_calibration_error_high"
    return {
        **_figure("calibrated_overconfidence", _overconfidence(whole), _overconfidence(draws)),
        **figure,
        highest: float(np.maximum(figure[highest], error)),
    }


def _sum_by_unit(part: SplitPredictions, cells: np.ndarray, sums: np.ndarray, *, count: int) -> np.ndarray:
    """Return what each person, sequence or lone image adds to each of `count` cells, (units, count, k).

    `cells` (n,) is the cell of each image, and `sums` (n, k) what it adds there.
    """
    units = np.arange(len(cells)) if part.groups is None else np.unique(part.groups, return_inverse=True)[1]
    result = np.zeros((int(units.max()) + 1, count, sums.shape[1]))
    np.add.at(result, (units, cells), sums)
    return result


def _shares(counts: np.ndarray) -> np.ndarray:
    """Return the accuracy of each value, (..., values); `counts` is (..., values, 2): hits and images."""
    hits, images = np.moveaxis(counts, -1, 0)
    shares: np.ndarray = np.divide(hits, images, out=np.full(images.shape, np.nan), where=images > 0)
    return shares


def _calibration_error(counts: np.ndarray) -> np.ndarray:
    """Return the expected calibration error; `counts` is (..., bins, 3): images, confidence and hits, summed."""
    images, confidence, hits = np.moveaxis(counts, -1, 0)
    error: np.ndarray = np.abs(confidence - hits).sum(axis=-1) / images.sum(axis=-1)
    return error


def _overconfidence(counts: np.ndarray) -> np.ndarray:
    """Return the mean confidence less the accuracy; `counts` is as in `_calibration_error`."""
    images, confidence, hits = np.moveaxis(counts.sum(axis=-2), -1, 0)
    difference: np.ndarray = (confidence - hits) / images
    return difference


def _figure(name: str, value: np.ndarray | float, draws: np.ndarray) -> dict[str, float]:
    """Return `value` and the ends of its interval by the figures of the resamples, where these differ."""
    low, high = percentile_interval(draws)
    if not low < high:
        low = high = float("nan")
    return {name: float(value), f"{name}_low": low, f"{name}_high": high}
