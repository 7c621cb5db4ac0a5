"""Train the network that params.yaml names, on data/features; write models/model.keras, its history and metrics."""

import time

import pandas as pd

from emotion import runtime
from emotion.architectures.cost import multiply_adds
from emotion.errors import InputError, run_command
from emotion.features import VOTES, load_features
from emotion.files import write_csv, write_json
from emotion.labels import Scheme, check_targets, resolve_scheme
from emotion.model_file import ModelForm, save_model
from emotion.params import load_params
from emotion.paths import CHECKPOINTS, FEATURES, HISTORY, MODEL, TRAINING_METRICS
from emotion.training import TrainingData, TrainingResult, train


def main() -> None:
    params = load_params("train", "augmentation", "labels", "compute")
    scheme = resolve_scheme(params.labels.scheme)
    check_targets(params.labels.scheme, params.labels.targets)
    runtime.set_up(params.compute.threads, params.train.seed)
    data = read_data(scheme, votes=params.labels.targets == "votes")
    began = time.monotonic()
    result = train(data, len(scheme.emotions), params, CHECKPOINTS)
    # Printed and not kept in a file, whose bytes would differ from run to run.
    print(f"trained {len(result.history)} epochs in {time.monotonic() - began:.0f} s; best: {result.best_epoch}")
    save_model(MODEL, result.model, ModelForm(scheme.emotions, data.size, data.color))
    write_csv(HISTORY, pd.DataFrame(result.history))
    write_json(TRAINING_METRICS, summary(result))
    result.checkpoint.remove()


def read_data(scheme: Scheme, *, votes: bool) -> TrainingData:
    """Return the arrays that training needs, people's votes among them where `votes` says so.

    Raises:
        InputError: the arrays were made for other params.labels.
    """
    arrays = load_features(FEATURES)
    x_train, y_train, x_val, y_val = (arrays[name] for name in ("x_train", "y_train", "x_val", "y_val"))
    votes_train = arrays.get(VOTES)
    classes = len(scheme.emotions)
    fits = votes_train is None or votes_train.shape[1] == classes
    if votes != (votes_train is not None) or not fits or max(y_train.max(), y_val.max()) >= classes:
        raise InputError(
            f"{FEATURES} was made for another labels.scheme or labels.targets than {scheme.written} in params.yaml; "
            "make it again with `dvc repro extract_features`"
        )
    return TrainingData(x_train, y_train, x_val, y_val, votes_train)


def summary(result: TrainingResult) -> dict[str, object]:
    """Return what metrics/train.json holds: the best epoch, its scores, and what the network costs."""
    best = result.history[result.best_epoch - 1]
    return {
        "best_epoch": result.best_epoch,
        "epochs": len(result.history),
        "train": {"loss": best["loss"], "accuracy": best["accuracy"]},
        "validation": {"loss": best["val_loss"], "accuracy": best["val_accuracy"]},
        "parameters": result.model.count_params(),
        "multiply_adds": multiply_adds(result.model),
    }


if __name__ == "__main__":
    run_command(main)
