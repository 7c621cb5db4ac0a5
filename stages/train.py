"""Train the network that params.yaml names, on data/features; write models/model.keras, its history and metrics."""

import pandas as pd

from emotion import runtime
from emotion.errors import run_command
from emotion.features import load_features
from emotion.files import write_csv, write_json
from emotion.labels import resolve_scheme
from emotion.model_file import ModelForm, save_model
from emotion.params import load_params
from emotion.paths import CHECKPOINTS, FEATURES, HISTORY, MODEL, TRAINING_METRICS
from emotion.training import TrainingData, TrainingResult, train


def main() -> None:
    params = load_params("train", "augmentation", "labels", "compute")
    scheme = resolve_scheme(params.labels.scheme)
    runtime.set_up(params.compute.threads, params.train.seed)
    arrays = load_features(FEATURES)
    data = TrainingData(arrays["x_train"], arrays["y_train"], arrays["x_val"], arrays["y_val"])
    result = train(data, len(scheme.emotions), params, CHECKPOINTS)
    save_model(MODEL, result.model, ModelForm(scheme.emotions, data.size, data.color))
    write_csv(HISTORY, pd.DataFrame(result.history))
    write_json(TRAINING_METRICS, summary(result))
    result.checkpoint.remove()


def summary(result: TrainingResult) -> dict[str, object]:
    """Return what metrics/train.json holds: the best epoch, its scores, and the size of the network."""
    best = result.history[result.best_epoch - 1]
    return {
        "best_epoch": result.best_epoch,
        "epochs": len(result.history),
        "train": {"loss": best["loss"], "accuracy": best["accuracy"]},
        "validation": {"loss": best["val_loss"], "accuracy": best["val_accuracy"]},
        "parameters": result.model.count_params(),
    }


if __name__ == "__main__":
    run_command(main)
