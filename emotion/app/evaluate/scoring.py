"""The predictions of a model on labeled images, and their figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from emotion.app.evaluate.crops import Crop
from emotion.core.errors import InputError
from emotion.core.metadata import ModelMetadata
from emotion.evaluation import metrics
from emotion.evaluation.bootstrap import bootstrap_interval, percentile_interval, resample
from emotion.evaluation.group_columns import select_columns
from emotion.evaluation.groups import group_figures
from emotion.evaluation.report import SplitPredictions, number_groups, score_by_class, score_split
from emotion.ingest.sources.source import Source
from emotion.model_files.probabilities import ProbabilityModel, predict_probabilities
from emotion.parallel.batches import batched

BATCH = 256
"""Crops that are in memory and go through the model together."""

NAMED = 5
"""Unreadable images that a message names."""

BY_CLASS = ("precision", "recall", "f1", "support")
"""The figures of `score_by_class` that the report has."""


class Settings(NamedTuple):
    """The settings of calibration and intervals, as in the params of the presets."""

    bins: int = 15
    bootstrap: int = 1000
    seed: int = 2013


@dataclass(frozen=True)
class Answers:
    """The model's answers to the images that could be read, in the order of the source.

    Attributes:
        images: a row for each, with its `label` (that of the model), `searched` and `found` (booleans about its face)
            and `group` (a person or sequence; empty where there is none).
        columns: the values of the source's further columns, a row for each image.
        probabilities: float64 (n, classes), before the temperature.
        unreadable: the names of the other images and the reasons.
    """

    images: pd.DataFrame
    columns: pd.DataFrame
    probabilities: np.ndarray
    unreadable: Mapping[str, str]

    def to_predictions(self, threshold: float) -> SplitPredictions:
        """Return labels, probabilities and groups for the functions that score them."""
        groups = number_groups(self.images["group"])
        return SplitPredictions(self.images["label"].to_numpy(), self.probabilities, threshold, groups)


def answer(
    crops: Iterable[Crop], model: ProbabilityModel, labels: Mapping[str, int], source: Source, *, flip: bool
) -> Answers:
    """Return the answers of `model`, batch by batch.

    Args:
        crops: the images as the model takes them.
        model: maps uint8 crops to probabilities.
        labels: the label of each emotion.
        source: has the images; its name is for the message, and its further columns are kept.
        flip: whether the probabilities of each crop and its mirror image are averaged.

    Raises:
        InputError: no image can be read, or the outputs of the model are no probabilities.
    """
    rows: list[tuple[int, bool, bool, str]] = []
    columns: list[tuple[str, ...]] = []
    outputs: list[np.ndarray] = []
    unreadable: dict[str, str] = {}
    for batch in batched(crops, BATCH):
        usable = [crop for crop in batch if not crop.reason]
        unreadable |= {crop.entry.image: crop.reason for crop in batch if crop.reason}
        rows += [(labels[crop.entry.emotion], crop.searched, crop.found, crop.entry.group) for crop in usable]
        columns += [crop.entry.columns for crop in usable]
        if usable:
            outputs.append(predict_probabilities(model, np.stack([crop.pixels for crop in usable]), flip=flip))
    if not rows:
        raise _refuse(source.name, unreadable)
    images = pd.DataFrame(rows, columns=["label", "searched", "found", "group"])
    further = pd.DataFrame(columns, columns=list(source.columns), index=images.index)
    return Answers(images, further, np.concatenate(outputs), unreadable)


def _refuse(source: str, unreadable: Mapping[str, str]) -> InputError:
    first = "; ".join(f"{name}: {reason}" for name, reason in list(unreadable.items())[:NAMED])
    return InputError(
        f"{source}: none of {len(unreadable)} labeled images can be read, expected at least one; replace them. "
        f"The first ones: {first}"
    )


def score(answers: Answers, metadata: ModelMetadata, settings: Settings, *, only_found: bool) -> dict[str, Any]:
    """Return the figures over all images, or over those with a face alone.

    Means over emotions are over those that the images show. An answer of another emotion is wrong.

    Returns:
        The figures of `score_split`, the interval of the balanced accuracy, and `by_emotion`: precision, recall with
        its interval, F1 and support of each emotion that the images show.
    """
    predictions = answers.to_predictions(metadata.threshold)
    if only_found:
        predictions = predictions.select(answers.images["found"].to_numpy())
    draws = {"resamples": settings.bootstrap, "seed": settings.seed}
    low, high = bootstrap_interval(predictions.resampled, metrics.balanced_accuracy, **draws)
    return {
        **score_split(predictions, temperature=metadata.temperature, params=settings),
        "balanced_accuracy_low": low,
        "balanced_accuracy_high": high,
        "by_emotion": _score_emotions(predictions, metadata.emotions, draws),
    }


def _score_emotions(
    predictions: SplitPredictions, emotions: Sequence[str], draws: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    if not len(predictions.y_true):
        return {}
    recalls = metrics.recall(resample(predictions.resampled, **draws))
    figures = {}
    for label, (emotion, scores) in enumerate(score_by_class(predictions, emotions).items()):
        if scores["support"]:
            low, high = percentile_interval(recalls[:, label])
            figures[emotion] = {name: scores[name] for name in BY_CLASS} | {"recall_low": low, "recall_high": high}
    return figures


def compare_groups(
    answers: Answers, metadata: ModelMetadata, settings: Settings, names: Sequence[str]
) -> dict[str, Any]:
    """Return the figures of the images with each value of the columns `names`, as `group_figures` does.

    Raises:
        InputError: a column is missing, or has one value or too many.
    """
    columns = select_columns(answers.columns, names, setting="--groups")
    predictions = answers.to_predictions(metadata.threshold)
    return group_figures(columns, predictions, metadata.emotions, temperature=metadata.temperature, params=settings)


def count_answers(answers: Answers, metadata: ModelMetadata) -> dict[str, dict[str, int]]:
    """Return the number of images by actual and by predicted emotion, for the emotions that the images show."""
    confusion = answers.to_predictions(metadata.threshold).confusion
    return {
        actual: dict(zip(metadata.emotions, map(int, row), strict=True))
        for actual, row in zip(metadata.emotions, confusion, strict=True)
        if row.any()
    }
