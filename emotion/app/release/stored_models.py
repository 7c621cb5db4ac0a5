"""The model files of a release. They take half the bytes where that keeps the accuracy."""

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from emotion.core.errors import InputError
from emotion.core.files import METRIC_DECIMALS, read_json
from emotion.core.params import Params
from emotion.core.paths import (
    EVALUATION_METRICS,
    EXPORT_METRICS,
    FEATURES,
    FLOAT16_MODEL,
    INT8_MODEL,
    MODEL,
    ONNX_MODEL,
    TFLITE_MODEL,
)

KERAS = "keras"

FILES = (KERAS, "tflite", "int8", "onnx")
"""The names that users give for the model files of a release."""

MODEL_SUFFIXES = (".keras", ".onnx", ".tflite")
"""The suffixes of model files."""

MOST_LOST = 0.001
"""Accuracy that rounding to float16 may change at most, either way."""

TFLITE_MODELS = {"tflite": TFLITE_MODEL, "tflite_float16": FLOAT16_MODEL}
"""The files of which one becomes model.tflite, by their names in metrics/export.json."""


@dataclass(frozen=True)
class StoredModels:
    """The model files of a release.

    Attributes:
        files: the names of its files by their names in metrics/export.json, in the order of FILES.
        weights: the type of the weights in the .keras file; None where there is no such file.
        accuracy: the accuracy of the stored .keras file, or else of the first file, on the test split, 0 to 1.
    """

    files: Mapping[str, str]
    weights: str | None
    accuracy: float


def choose_files(files: Collection[str] | None) -> Collection[str]:
    """Return `files`, or all of FILES for None; raise InputError where there are none, or one is not in FILES."""
    if files is None:
        return FILES
    for file in files or ("nothing",):
        if file not in FILES:
            raise InputError(f"--files: got {file!r}, expected some of {', '.join(FILES)}")
    return files


def write_models(folder: Path, params: Params, files: Collection[str]) -> StoredModels:
    """Write the model files to `folder`: model.keras and model.tflite in half the bytes where that keeps accuracy."""
    chosen = {key: source for name, (key, source) in name_files().items() if name in files}
    names = {key: _stored_name(source) for key, source in chosen.items()}
    for key, source in chosen.items():
        if key != KERAS:
            shutil.copyfile(source, folder / names[key])
    if KERAS not in names:
        return StoredModels(names, None, read_json(EXPORT_METRICS)[next(iter(names))]["accuracy"])
    # Keras takes seconds to load, so errors in other files are reported before.
    from emotion.model_files.keras_setup import set_up

    set_up(params.compute.threads, params.evaluate.seed)
    from emotion.model_files.keras_file import halve_weights

    target = folder / MODEL.name
    halve_weights(MODEL, target)
    accuracy = measure_accuracy(target, params)
    before = read_json(EVALUATION_METRICS)["test"]["accuracy"]
    if is_kept(accuracy, before):
        return StoredModels(names, "float16", accuracy)
    shutil.copyfile(MODEL, target)
    return StoredModels(names, "float32", before)


def name_files() -> dict[str, tuple[str, Path]]:
    """Return what each of FILES is in metrics/export.json, and where the pipeline wrote it."""
    tflite = choose_tflite()
    places = (KERAS, MODEL), (tflite, TFLITE_MODELS[tflite]), ("tflite_int8", INT8_MODEL), ("onnx", ONNX_MODEL)
    return dict(zip(FILES, places, strict=True))


def _stored_name(source: Path) -> str:
    return TFLITE_MODEL.name if source in TFLITE_MODELS.values() else source.name


def choose_tflite() -> str:
    """Return which of TFLITE_MODELS to keep: weights in float16 where that keeps the accuracy, else float32."""
    scores = read_json(EXPORT_METRICS)
    kept = is_kept(scores["tflite_float16"]["accuracy"], scores["tflite"]["accuracy"])
    return "tflite_float16" if kept else "tflite"


def is_kept(accuracy: float, before: float) -> bool:
    """Return whether an accuracy, 0 to 1, differs from the one before by MOST_LOST at most."""
    return round(abs(accuracy - before), METRIC_DECIMALS) <= MOST_LOST


def measure_accuracy(path: Path, params: Params) -> float:
    """Return the accuracy of the model file at `path` on the test arrays, 0 to 1."""
    from emotion.data.feature_arrays import load_features
    from emotion.evaluation.metrics import predicted_labels
    from emotion.model_files.keras_file import load_model
    from emotion.model_files.probabilities import predict_probabilities

    model, _ = load_model(path)
    features = load_features(FEATURES)
    probabilities = predict_probabilities(model, features["x_test"], flip=params.evaluate.flip)
    right = predicted_labels(probabilities, params.evaluate.threshold) == features["y_test"]
    return float(right.mean())


def model_files(folder: Path) -> list[Path]:
    """Return the model files of the release in `folder`."""
    return sorted(path for path in folder.iterdir() if path.suffix in MODEL_SUFFIXES)
