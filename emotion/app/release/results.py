"""The results beside the models of a release: figures, plots, params and measured times."""

import hashlib
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from emotion.core.files import read_json, write_csv
from emotion.core.params import PARAMS_FILE
from emotion.core.paths import (
    DATASET_METRICS,
    EVALUATION_METRICS,
    EXPORT_METRICS,
    EXPORT_TIME,
    MODEL,
    PLOTS,
    TRAINED_MODEL,
    TRAINING_METRICS,
    TRAINING_TIME,
)
from emotion.plots.history import read_history

LOCK = Path("dvc.lock")

RESULTS = (EVALUATION_METRICS, TRAINING_METRICS, DATASET_METRICS, EXPORT_METRICS, PARAMS_FILE, LOCK)
"""The files that a release has copies of, besides the model, history and plots."""

PLOT_NAMES = ("class_balance", "confusion", "precision_recall", "reliability", "roc", "training")
"""The plots that show figures. Plots of images are left out, since not every data set may be shown."""


class MeasuredTime(NamedTuple):
    """A file of measured times.

    Attributes:
        title: a name for people.
        source: where a stage wrote it.
        model: the model file that the times are of.
        copy: the file's name in a release, where train.json and export.json are metrics.
    """

    title: str
    source: Path
    model: Path
    copy: str

    @property
    def is_of_this_model(self) -> bool:
        """Whether the times are of the present model, and not of one that ran before DVC's cache brought this one."""
        md5 = hashlib.md5(self.model.read_bytes(), usedforsecurity=False).hexdigest()
        return self.source.is_file() and bool(read_json(self.source).get("md5") == md5)

    def read_copy(self, folder: Path) -> dict[str, Any] | None:
        """Return the times in the release in `folder`; None where it has none."""
        copy = folder / self.copy
        return read_json(copy) if copy.is_file() else None


TRAINING = MeasuredTime("training time", TRAINING_TIME, TRAINED_MODEL, "time.json")
PREDICTION = MeasuredTime("milliseconds a face", EXPORT_TIME, MODEL, "export_time.json")
MEASURED_TIMES = (TRAINING, PREDICTION)


def copy_results(folder: Path) -> None:
    """Copy metrics, history, params, lock, plots and known times into `folder`."""
    groups = ["groups"] if "groups" in read_json(EVALUATION_METRICS) else []
    plots = [PLOTS / f"{name}.png" for name in (*PLOT_NAMES, *groups)]
    for path in (*RESULTS, *plots):
        if path in RESULTS or path.is_file():
            shutil.copyfile(path, folder / path.name)
    write_csv(folder / "history.csv", read_history())
    for time in MEASURED_TIMES:
        if time.is_of_this_model:
            shutil.copyfile(time.source, folder / time.copy)
