"""Stage export: write the trained model, with its metadata, for every runtime, and compare the files."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from emotion.core.errors import InputError
from emotion.core.files import read_json, write_json
from emotion.core.guard import run_stage
from emotion.core.params import Params, load_params
from emotion.core.paths import (
    EVALUATION_METRICS,
    EXPORT_METRICS,
    EXPORT_TIME,
    EXPORTED,
    FEATURES,
    FLOAT16_MODEL,
    INT8_MODEL,
    MODEL,
    ONNX_MODEL,
    TFLITE_MODEL,
    TRAINED_MODEL,
)
from emotion.data.feature_arrays import load_features
from emotion.runtimes.engine import Engine
from emotion.runtimes.engines import load_engine

if TYPE_CHECKING:  # at run time it would load Keras
    import keras

    from emotion.core.metadata import ModelMetadata

THREADS = 1
"""Number of threads for times and probabilities, so that they do not depend on compute.threads."""


def main() -> None:
    """Read features, figures and model; write models/model.* and metrics/export.json."""
    params = load_params("evaluate", "faces")
    temperature = read_temperature()
    features = load_features(FEATURES)
    # Keras takes seconds to load, so errors in the other files are reported before.
    from emotion.model_files.keras_setup import set_up

    set_up(THREADS, params.evaluate.seed)
    from emotion.model_files.keras_file import load_model
    from emotion.runtimes.comparison import compare_engines
    from emotion.runtimes.converters import check_backend

    check_backend()
    network, metadata = load_model(TRAINED_MODEL)
    metadata = complete_metadata(metadata, params, temperature)
    write_files(network, metadata, features["x_train"])
    engines = {name: load_engine(path, threads=THREADS) for name, path in EXPORTED.items()}
    figures = compare_engines(engines, features["x_test"], features["y_test"], metadata)
    report = {name: {"bytes": EXPORTED[name].stat().st_size} | figures[name] for name in EXPORTED}
    write_json(EXPORT_METRICS, report)
    # Times are not an output of the stage, since the bytes of its outputs are the same in every run.
    times = time_engines(engines, features["x_test"][0])
    write_json(EXPORT_TIME, times)
    print("\n".join(describe_file(name, report[name], times["milliseconds_a_face"][name]) for name in EXPORTED))


def read_temperature() -> float:
    """Return the temperature that the stage evaluate fitted on the validation split.

    Raises:
        InputError: metrics/evaluate.json is missing or holds no temperature.
    """
    remedy = "make it again with `dvc repro evaluate`"
    try:
        temperature: float = read_json(EVALUATION_METRICS, remedy)["temperature"]
    except (KeyError, TypeError):
        raise InputError(f"{EVALUATION_METRICS} has no temperature; {remedy}") from None
    return temperature


def complete_metadata(metadata: "ModelMetadata", params: Params, temperature: float) -> "ModelMetadata":
    """Return `metadata` with the settings of evaluation, the temperature, and the detection of faces."""
    return replace(
        metadata,
        flip=params.evaluate.flip,
        threshold=params.evaluate.threshold,
        temperature=temperature,
        **params.faces.model_dump(),
    )


def write_files(network: "keras.Model", metadata: "ModelMetadata", images: np.ndarray) -> None:
    """Write `network` and `metadata` to every file of EXPORTED.

    Args:
        network: takes uint8 (n, size, size, channels).
        metadata: the metadata of `complete_metadata`.
        images: uint8 (n, size, size, channels) of the training split, for the ranges of int8.
    """
    from emotion.model_files.keras_file import save_model
    from emotion.runtimes.onnx_export import to_onnx, write_onnx
    from emotion.runtimes.tflite_export import to_float16_tflite, to_float32_tflite, to_int8_tflite, write_tflite

    save_model(MODEL, network, metadata)
    write_tflite(TFLITE_MODEL, to_float32_tflite(network), metadata)
    write_tflite(FLOAT16_MODEL, to_float16_tflite(network), metadata)
    write_tflite(INT8_MODEL, to_int8_tflite(network, images), metadata)
    write_onnx(ONNX_MODEL, to_onnx(network), metadata)


def time_engines(engines: Mapping[str, Engine], image: np.ndarray) -> dict[str, Any]:
    """Return the milliseconds of each engine for one `image`, with the processor and the checksum of the model.

    The image is uint8 (size, size, channels).
    """
    from emotion.model_files import keras_setup
    from emotion.runtimes.comparison import time_one_image

    return {
        "md5": hashlib.md5(MODEL.read_bytes(), usedforsecurity=False).hexdigest(),
        "processor": keras_setup.processor(),
        "threads": THREADS,
        "milliseconds_a_face": {name: time_one_image(engine, image) for name, engine in engines.items()},
    }


def describe_file(name: str, figures: Mapping[str, float], milliseconds: float) -> str:
    """Return a line about the exported file `name` for the terminal: size, accuracy, agreement and time."""
    return (
        f"{EXPORTED[name].as_posix():28} {figures['bytes'] / 1e6:6.2f} MB, accuracy {figures['accuracy']:.1%}, "
        f"agreement {figures['agreement']:.1%}, {milliseconds:.2f} ms a face"
    )


if __name__ == "__main__":
    run_stage(main)
