"""The facts that the model card states, read from metrics files, predictions and params."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from emotion.core.errors import InputError
from emotion.core.files import read_json
from emotion.core.labels import VOTE_SCHEMES
from emotion.core.params import Params
from emotion.core.paths import (
    DATASET_METRICS,
    EVALUATION_METRICS,
    EXPORT_METRICS,
    PREDICTIONS,
    SAMPLE_FOLDER,
    TRAINING_METRICS,
)
from emotion.data.table import DROPPED, GROUP
from emotion.reports.predictions import read_predictions

MOST_CONFUSIONS = 6
FER2013_IMAGES, FER2013_SIZE = 35_887, 48

ORIGINS = {
    "drawn-faces": "Drawn faces",
    "fer2013": "FER2013",
    "ferplus": "FER2013 with the labels of FER+",
    "custom": "Custom images",
}
"""The origins of images: the name that people use for each name in the card's front matter."""


@dataclass(frozen=True)
class Facts:
    """The content of the metrics files, the predictions and the params of a run."""

    evaluation: dict[str, Any]
    training: dict[str, Any]
    dataset: dict[str, Any]
    export: dict[str, Any]
    predictions: pd.DataFrame
    params: Params

    @property
    def emotions(self) -> list[str]:
        """The names of the classes, in their order."""
        return list(self.evaluation["by_class"])

    @property
    def excluded_copies(self) -> int:
        """Number of images that were left out as copies or near copies of others."""
        excluded = self.dataset["excluded"]
        return int(excluded["total"] - excluded["scheme"] - excluded.get(DROPPED, 0)) - self.excluded_groups

    @property
    def excluded_groups(self) -> int:
        """Number of images that were left out since their person or sequence is in a later split."""
        excluded = self.dataset["excluded"]
        return sum(excluded.get(f"{GROUP}_of_{split}", 0) for split in ("test", "val"))


class Confusion(NamedTuple):
    """The number of the `support` images of the emotion `actual` that were predicted as another one."""

    actual: str
    predicted: str
    images: int
    support: int

    @property
    def share(self) -> float:
        """Of the emotion's images, 0 to 1."""
        return self.images / self.support


def read_facts(metrics: Path, params: Params, predictions: Path = PREDICTIONS) -> Facts:
    """Return what the metrics files in the folder `metrics` and the table `predictions` hold.

    Args:
        metrics: has evaluate.json, train.json, dataset.json and export.json.
        params: of that run, the sections source, split, labels, features, train and evaluate.
        predictions: the table of the test split.

    Raises:
        InputError: a file is missing or broken.
    """
    files = (EVALUATION_METRICS, TRAINING_METRICS, DATASET_METRICS, EXPORT_METRICS)
    evaluation, training, dataset, export = (read_json(metrics / file.name) for file in files)
    return Facts(evaluation, training, dataset, export, read_predictions(predictions), params)


def find_confusions(facts: Facts) -> list[Confusion]:
    """Return which emotions were predicted in place of which, the largest shares of the actual one first."""
    counts = facts.predictions.groupby(["actual", "predicted"]).size().to_dict()
    confusions = [
        Confusion(actual, predicted, counts[actual, predicted], facts.evaluation["by_class"][actual]["support"])
        for actual, predicted in permutations(facts.emotions, 2)
        if (actual, predicted) in counts
    ]
    return sorted(confusions, key=lambda confusion: -confusion.share)[:MOST_CONFUSIONS]


def find_origin(facts: Facts) -> str:
    """Return which of ORIGINS the images come from, by their folder, number and size."""
    if Path(facts.params.source.folder) == SAMPLE_FOLDER:
        return "drawn-faces"
    sizes = set(facts.dataset["size"].values())
    if (facts.dataset["source_images"], sizes) != (FER2013_IMAGES, {FER2013_SIZE}):
        return "custom"
    return "ferplus" if facts.params.labels.scheme in VOTE_SCHEMES else "fer2013"


def find_source(lock: Mapping[str, Any], folder: str) -> str:
    """Return the md5 of the source in `folder` by which the table of images was made.

    Raises:
        InputError: `lock`, the content of dvc.lock, does not name it.
    """
    deps = lock.get("stages", {}).get("create_dataframe", {}).get("deps", [])
    for dep in deps:
        if dep["path"] == folder:
            return str(dep["md5"])
    raise InputError(f"dvc.lock does not say what {folder} (source.folder) held; run `dvc repro`")
