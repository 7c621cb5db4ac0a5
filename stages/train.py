"""Stage train: train the network that params.yaml names on data/features."""

import hashlib

import pandas as pd

from emotion.core.errors import InputError
from emotion.core.files import write_csv, write_json
from emotion.core.guard import run_stage
from emotion.core.labels import Scheme, check_targets, resolve_scheme
from emotion.core.metadata import ModelMetadata
from emotion.core.params import load_params
from emotion.core.paths import CHECKPOINTS, FEATURES, HISTORY, TRAINED_MODEL, TRAINING_METRICS, TRAINING_TIME
from emotion.data.feature_arrays import VOTES, load_features
from emotion.model_files import keras_setup
from emotion.model_files.keras_file import save_model
from emotion.networks.cost import multiply_adds
from emotion.training.loop import DivergedError, TrainingResult, train
from emotion.training.precision import resolve_precision
from emotion.training.pretrained import read_pretrained
from emotion.training.training_data import TrainingData

LAST_GOOD_MODEL = CHECKPOINTS / "last_good.keras"
"""Model file for the best epoch of a training that diverged later."""


def main() -> None:
    """Read the features; write models/trained.keras, the history and metrics/train.json."""
    params = load_params("train", "augmentation", "labels", "compute")
    scheme = resolve_scheme(params.labels.scheme)
    check_targets(params.labels.scheme, params.labels.targets)
    keras_setup.set_up(params.compute.threads, params.train.seed)
    data = read_data(scheme, votes=params.labels.targets == "votes")
    metadata = ModelMetadata(scheme.emotions, data.size, data.color)
    try:
        result = train(
            data, len(scheme.emotions), params, CHECKPOINTS, pretrained=read_pretrained(params.train, metadata)
        )
    except DivergedError as error:
        if error.network is None:
            raise
        save_model(LAST_GOOD_MODEL, error.network, metadata)
        raise InputError(f"{error}; the best epoch before that is kept in {LAST_GOOD_MODEL}") from None
    print(f"trained {len(result.history)} epochs in {result.seconds:.0f} s; best: {result.best_epoch}")
    save_model(TRAINED_MODEL, result.model, metadata)
    # Times are not an output of the stage, since the bytes of its outputs are the same in every run.
    write_json(TRAINING_TIME, time_taken(result, params.compute.threads))
    write_csv(HISTORY, pd.DataFrame(result.history))
    write_json(TRAINING_METRICS, {"precision": resolve_precision(params.train.precision)} | summary(result))
    result.checkpoint.remove()


def read_data(scheme: Scheme, *, votes: bool) -> TrainingData:
    """Return the arrays that training needs, with people's votes where `votes` is true.

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
            f"{FEATURES} does not fit labels.targets and labels.scheme ({scheme.written}) of params.yaml; make it "
            "again with `dvc repro extract_features`"
        )
    return TrainingData(x_train, y_train, x_val, y_val, votes_train)


def time_taken(result: TrainingResult, threads: int) -> dict[str, object]:
    """Return the seconds of training, the hardware, and the checksum of the trained model."""
    return {
        "md5": hashlib.md5(TRAINED_MODEL.read_bytes(), usedforsecurity=False).hexdigest(),
        "seconds": round(result.seconds),
        "processor": keras_setup.processor(),
        "threads": threads,
        "accelerator": keras_setup.accelerator(),
        "backend": keras_setup.backend(),
    }


def summary(result: TrainingResult) -> dict[str, object]:
    """Return the figures of metrics/train.json: the best epoch, its scores, and the size of the network."""
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
    run_stage(main)
