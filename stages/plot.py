"""Stage plot: draw the plots of data, training and results. It needs neither DVC nor TensorFlow.

Plots without images of the data set go to metrics/plots, which git tracks. Sheets of images go to metrics/sheets, which
git ignores. With `plot.share_images: true` metrics/plots gets copies of them, and one of metrics/explanations.png.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emotion.core.errors import InputError
from emotion.core.files import atomic_path, read_json
from emotion.core.guard import run_stage
from emotion.core.params import load_params
from emotion.core.paths import (
    EVALUATION_METRICS,
    EXPLANATIONS,
    FEATURES,
    PLOTS,
    PRECISION_RECALL,
    PREDICTIONS,
    RELIABILITY,
    ROC,
    SAMPLE_FOLDER,
    SHEETS,
    TABLE,
    TRAINING_METRICS,
)
from emotion.data.feature_arrays import load_features
from emotion.data.table import read_table
from emotion.plots.confusion import plot_confusion
from emotion.plots.curves import find_points, plot_precision_recall, plot_reliability, plot_roc
from emotion.plots.dataset import plot_class_balance, plot_images
from emotion.plots.groups import plot_groups
from emotion.plots.history import read_history
from emotion.plots.sheets import plot_mistakes, plot_predictions
from emotion.plots.style import save_gray_sheet, save_indexed
from emotion.plots.training import plot_training

SHEET_NAMES = ("images", "predictions", "mistakes")
CHART_COLORS = 128


def main() -> None:
    """Read the outputs of the other stages; write metrics/plots/*.png and metrics/sheets/*.png."""
    params = load_params("plot", "source")
    draw_training()
    draw_results(params.plot.mistakes)
    draw_data(params.plot.images_per_class)
    share_sheets(share=params.plot.share_images)
    if params.plot.share_images and Path(params.source.folder) != SAMPLE_FOLDER:
        print(
            f"{PLOTS} shows images of {params.source.folder}, and git shares them, since plot.share_images is true; "
            "set it to false if the images are private"
        )


def draw_training() -> None:
    """Draw the curves of training."""
    best_epoch = read_json(TRAINING_METRICS)["best_epoch"]
    save_indexed(plot_training(read_history(), best_epoch), PLOTS / "training.png", CHART_COLORS)


def draw_data(images_per_class: int) -> None:
    """Draw the class balance, and `images_per_class` training images of each class."""
    emotions = list(read_json(EVALUATION_METRICS)["by_class"])
    features = load_features(FEATURES)
    save_indexed(plot_class_balance(read_table(TABLE), emotions), PLOTS / "class_balance.png", CHART_COLORS)
    images, labels = features["x_train"], features["y_train"]
    save_sheet = choose_sheet(images)
    save_sheet(plot_images(images, labels, emotions, per_class=images_per_class), SHEETS / "images.png")


def draw_results(mistakes: int) -> None:
    """Draw the scores and predictions of the test split, with at most `mistakes` wrong ones on a sheet."""
    report = read_json(EVALUATION_METRICS)
    by_class = report["by_class"]
    emotions = list(by_class)
    predictions = read_csv(PREDICTIONS)
    images = load_features(FEATURES)["x_test"]
    if len(predictions) != len(images):
        raise InputError(
            f"{PREDICTIONS} has {len(predictions)} rows, but {FEATURES} has {len(images)} test images; make both "
            "again with `dvc repro evaluate`"
        )
    thresholds = report.get("threshold", {})
    points = find_points(predictions, emotions, thresholds) if thresholds else None
    figures = {
        "confusion": plot_confusion(predictions, emotions, report["test"], thresholds.get("used")),
        "roc": plot_roc(read_csv(ROC), by_class, points),
        "precision_recall": plot_precision_recall(read_csv(PRECISION_RECALL), by_class, points),
        "reliability": plot_reliability(read_csv(RELIABILITY), emotions, report["temperature"]),
        "groups": plot_groups(report.get("groups", {}), report["test"]),
    }
    for name, figure in figures.items():
        save_indexed(figure, PLOTS / f"{name}.png", CHART_COLORS)
    save_sheet = choose_sheet(images)
    save_sheet(plot_predictions(images, predictions, emotions), SHEETS / "predictions.png")
    save_sheet(plot_mistakes(images, predictions, emotions, most=mistakes), SHEETS / "mistakes.png")


def share_sheets(*, share: bool) -> None:
    """Copy the sheets of images and explanations to metrics/plots, or remove the copies where `share` is false.

    Raises:
        InputError: metrics/explanations.png is missing.
    """
    for sheet in (*(SHEETS / f"{name}.png" for name in SHEET_NAMES), EXPLANATIONS):
        copy = PLOTS / sheet.name
        if not share:
            copy.unlink(missing_ok=True)
        elif not sheet.is_file():
            raise InputError(f"{sheet} is missing; make it with `dvc repro`")
        else:
            with atomic_path(copy) as temporary:
                shutil.copyfile(sheet, temporary)


def choose_sheet(images: np.ndarray) -> Callable[[Figure, Path], None]:
    """Return the function that writes a sheet of gray or of color images (n, height, width, channels)."""
    return save_gray_sheet if images.shape[3] == 1 else save_indexed


def read_csv(path: Path) -> pd.DataFrame:
    """Read the table of a curve. No value is empty, and `NA` may name an emotion."""
    return pd.read_csv(path, encoding="utf-8", na_filter=False)


if __name__ == "__main__":
    run_stage(main)
