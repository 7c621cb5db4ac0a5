"""Stage explain: draw the image regions behind right and wrong predictions, metrics/explanations.png."""

import numpy as np
import pandas as pd

from emotion.core.errors import InputError
from emotion.core.guard import run_stage
from emotion.core.params import load_params
from emotion.core.paths import EXPLANATIONS, FEATURES, MODEL, PREDICTIONS
from emotion.data.feature_arrays import load_features
from emotion.explanation.sheet import choose_explained, plot_explanations
from emotion.plots.style import save_indexed
from emotion.reports.predictions import read_predictions

EXPLANATION_COLORS = 128
"""Number of colors of the sheet. The grays of the images and the colors of the heat are told apart with them."""


def main() -> None:
    """Read predictions, features and model; write metrics/explanations.png."""
    params = load_params("explain", "compute")
    predictions = read_predictions(PREDICTIONS)
    images = load_features(FEATURES)["x_test"]
    if len(predictions) != len(images):
        raise InputError(
            f"{PREDICTIONS} has {len(predictions)} rows, but {FEATURES} has {len(images)} test images; make both "
            "again with `dvc repro evaluate`"
        )
    # Keras takes seconds to load, so errors in the other files are reported before.
    from emotion.model_files.keras_setup import set_up

    set_up(params.compute.threads, seed=0)
    from emotion.explanation.grad_cam import explain
    from emotion.model_files.keras_file import load_model

    model, metadata = load_model(MODEL)
    count = params.explain.images
    chosen = choose_explained(predictions, metadata.emotions, count)
    rows, images = predictions.loc[chosen], np.asarray(images[chosen])
    heat = explain(model, images, find_labels(rows["predicted"], metadata.emotions), flip=metadata.flip)
    sheet = plot_explanations(images, heat, rows, metadata.emotions, count=count)
    save_indexed(sheet, EXPLANATIONS, colors=EXPLANATION_COLORS)


def find_labels(names: pd.Series, emotions: tuple[str, ...]) -> np.ndarray:
    """Return the label of each of `names`, (n,).

    Raises:
        InputError: the model lacks one of the emotions, so the predictions are from another model.
    """
    unknown = sorted(set(names) - set(emotions))
    if unknown:
        raise InputError(
            f"{PREDICTIONS} has {', '.join(unknown)}, but {MODEL} predicts {', '.join(emotions)}; make both again with "
            "`dvc repro`"
        )
    return names.map(emotions.index).to_numpy(dtype=np.int64)


if __name__ == "__main__":
    run_stage(main)
