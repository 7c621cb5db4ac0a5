"""The results beside the models of a release: figures, plots, params and times; and the list of all releases."""

import hashlib
import shutil
from pathlib import Path

from emotion.core.files import atomic_path, read_json, write_csv, write_json
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

RELEASED = Path("models/released")
SUMMARY = RELEASED / "metrics.json"
METRICS_LIST = RELEASED / "dvc.yaml"
SUMMARY_SCORES = ("accuracy", "macro_f1", "expected_calibration_error")
LOCK = Path("dvc.lock")

RESULTS = (EVALUATION_METRICS, TRAINING_METRICS, DATASET_METRICS, EXPORT_METRICS, PARAMS_FILE, LOCK)
"""The files that a release has copies of, besides the model, history and plots."""

PLOT_NAMES = ("class_balance", "confusion", "precision_recall", "reliability", "roc", "training")
"""The plots that show figures. Plots of images are left out, since not every data set may be shown."""

TIMES = {TRAINING_TIME: TRAINED_MODEL, EXPORT_TIME: MODEL}
"""The files of measured times, and the model file that each belongs to."""


def copy_results(folder: Path) -> None:
    """Copy metrics, history, params, lock, plots and known times into `folder`."""
    plots = [PLOTS / f"{name}.png" for name in PLOT_NAMES]
    for path in (*RESULTS, *plots):
        if path in RESULTS or path.is_file():
            shutil.copyfile(path, folder / path.name)
    write_csv(folder / "history.csv", read_history())
    for path, model in TIMES.items():
        if is_time_of(path, model):
            shutil.copyfile(path, folder / path.name)


def is_time_of(path: Path, model: Path) -> bool:
    """Return whether the time at `path` belongs to the present `model`, which may have come from DVC's cache since."""
    md5 = hashlib.md5(model.read_bytes(), usedforsecurity=False).hexdigest()
    return path.is_file() and read_json(path)["md5"] == md5


def list_metrics() -> None:
    """Write models/released/metrics.json and dvc.yaml, by which `dvc metrics show` lists every release.

    The figures are under the key `released`. Otherwise two files would have the same keys, and DVC would give the
    columns of `dvc exp show` longer names.
    """
    folders = sorted(path.parent for path in RELEASED.glob(f"[!.]*/{EVALUATION_METRICS.name}"))
    write_json(SUMMARY, {"released": {folder.name: _summary(folder) for folder in folders}})
    with atomic_path(METRICS_LIST) as temporary:
        lines = "# `dvc metrics show` lists what is released. Written by `emotion release`.\nmetrics:\n"
        temporary.write_text(f"{lines}  - {SUMMARY.name}\n", encoding="utf-8")


def _summary(folder: Path) -> dict[str, float]:
    evaluation, training = (read_json(folder / path.name) for path in (EVALUATION_METRICS, TRAINING_METRICS))
    scores = {name: evaluation["test"][name] for name in SUMMARY_SCORES}
    return scores | {"validation_accuracy": evaluation["validation"]["accuracy"], "parameters": training["parameters"]}
