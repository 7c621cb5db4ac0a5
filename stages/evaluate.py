"""Stage evaluate: score the trained model on the test split, once.

Every choice is made on the validation split. Training chooses the epoch on it, and this stage the temperature. With
two emotions the threshold is `evaluate.threshold`. The threshold that validation would choose is reported only.
Columns in `evaluate.groups` add the section `groups` to metrics/evaluate.json.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from emotion.core.errors import InputError
from emotion.core.files import write_csv, write_json
from emotion.core.guard import run_stage
from emotion.core.metadata import CHANNELS
from emotion.core.params import Params, load_params
from emotion.core.paths import (
    EVALUATION_METRICS,
    FEATURES,
    PRECISION_RECALL,
    PREDICTIONS,
    RELIABILITY,
    ROC,
    SUMMARY_METRICS,
    TABLE,
    TRAINED_MODEL,
)
from emotion.data.feature_arrays import load_features
from emotion.data.table import read_table
from emotion.evaluation import curves
from emotion.evaluation.group_columns import select_columns
from emotion.evaluation.groups import group_figures
from emotion.evaluation.report import SplitPredictions, find_unique, make_report, number_groups, summarize_report
from emotion.evaluation.threshold import check_threshold
from emotion.model_files.probabilities import predict_probabilities

if TYPE_CHECKING:  # at run time it would load Keras
    from emotion.core.metadata import ModelMetadata


def main() -> None:
    """Read table, features and model; write the figures in metrics/ and the tables in metrics/curves/."""
    params = load_params("evaluate", "compute")
    table = read_table(TABLE)
    features = load_features(FEATURES)
    test_rows = find_test_rows(table, features["y_test"])
    columns = select_columns(table[test_rows], params.evaluate.groups)
    validation, test, emotions = predict_splits(features, table[test_rows], params)
    unique = find_unique(table["hash"])[test_rows]
    test = replace(test, groups=number_groups(table["group"][test_rows]))
    report = make_report(validation, test, unique=unique, emotions=emotions, params=params.evaluate)
    if columns:
        temperature = report["temperature"]
        report["groups"] = group_figures(columns, test, emotions, temperature=temperature, params=params.evaluate)
    write_json(EVALUATION_METRICS, report)
    write_json(SUMMARY_METRICS, summarize_report(report))
    write_curves(np.flatnonzero(test_rows).tolist(), test, emotions, report["temperature"], params.evaluate.bins)


def predict_splits(
    features: dict[str, np.ndarray], rows: pd.DataFrame, params: Params
) -> tuple[SplitPredictions, SplitPredictions, tuple[str, ...]]:
    """Return the model's predictions on the validation split and on the test split, and its emotions.

    Args:
        features: the arrays, as `load_features` returns them.
        rows: the rows of the table for the test arrays.
        params: the sections `evaluate` and `compute`.

    Raises:
        InputError: the model does not fit the arrays or the table, or its outputs are not probabilities.
    """
    # Keras takes seconds to load, so errors in the other files are reported before.
    from emotion.model_files.keras_setup import set_up

    set_up(threads=params.compute.threads, seed=params.evaluate.seed)
    from emotion.model_files.keras_file import load_model

    model, metadata = load_model(TRAINED_MODEL)
    check_metadata(metadata, features["x_test"], rows)
    check_threshold(params.evaluate.threshold, metadata.emotions)
    predictions = []
    for split in ("val", "test"):
        probabilities = predict_probabilities(model, features[f"x_{split}"], flip=params.evaluate.flip)
        check_outputs(probabilities, metadata.emotions)
        predictions.append(SplitPredictions(features[f"y_{split}"], probabilities, params.evaluate.threshold))
    validation, test = predictions
    return validation, test, metadata.emotions


def find_test_rows(table: pd.DataFrame, y_test: np.ndarray) -> pd.Series:
    """Return whether each row of the table is in the test arrays, (rows,) booleans.

    Raises:
        InputError: the labels of these rows and `y_test` differ, so the arrays were made from another table.
    """
    chosen = (table["split"] == "test") & (table["excluded"] == "")
    if table["label"][chosen].tolist() != y_test.tolist():
        raise InputError(
            f"the {len(y_test)} test labels in {FEATURES} differ from the {chosen.sum()} in {TABLE}; make both again "
            "with `dvc repro extract_features`"
        )
    return chosen


def check_metadata(metadata: "ModelMetadata", images: np.ndarray, rows: pd.DataFrame) -> None:
    """Check that the model was trained for images and labels like these.

    Raises:
        InputError: the model takes images of another size or color than `images`, (n, height, width, channels), or its
            emotions have other labels than the table's `rows`.
    """
    if images.shape[1:] != (metadata.size, metadata.size, CHANNELS.get(metadata.color)):
        raise InputError(
            f"{TRAINED_MODEL} takes {metadata.color} images of {metadata.size} x {metadata.size} pixels, but "
            f"{FEATURES} holds {images.shape[1:]} (height, width, channels); train again with `dvc repro train`"
        )
    pairs = set(zip(rows["label"], rows["emotion"], strict=True))
    if not pairs <= set(enumerate(metadata.emotions)):
        raise InputError(
            f"{TRAINED_MODEL} has the emotions {', '.join(metadata.emotions)}, but {TABLE} has other emotions or "
            "another order of them; train again with `dvc repro train`"
        )


def check_outputs(probabilities: np.ndarray, emotions: tuple[str, ...]) -> None:
    """Raise InputError where `probabilities`, (n, classes), has more or fewer columns than there are emotions."""
    if probabilities.shape[1] != len(emotions):
        raise InputError(
            f"{TRAINED_MODEL} has {len(emotions)} emotions ({', '.join(emotions)}), but gives "
            f"{probabilities.shape[1]} probabilities; train again with `dvc repro train`"
        )


def write_curves(
    rows: list[int], test: SplitPredictions, emotions: tuple[str, ...], temperature: float, bins: int
) -> None:
    """Write the tables that `dvc plots` and the stage plot read."""
    y_true, probabilities = test.y_true, test.probabilities
    write_csv(
        PREDICTIONS,
        curves.tabulate_predictions(rows, y_true, probabilities, emotions, threshold=test.threshold),
    )
    write_csv(ROC, curves.tabulate_roc(y_true, probabilities, emotions))
    write_csv(PRECISION_RECALL, curves.tabulate_precision_recall(y_true, probabilities, emotions))
    write_csv(
        RELIABILITY,
        curves.tabulate_reliability(y_true, probabilities, emotions, temperature=temperature, bins=bins),
    )


if __name__ == "__main__":
    run_stage(main)
