"""Write the trained model for every runtime, with all that its use needs inside; compare what each file says."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from emotion.core.errors import InputError, run_command
from emotion.core.files import read_json, write_json
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
from emotion.runtimes.engines import Engine, load_engine

if TYPE_CHECKING:  # at run time it would load Keras
    import keras

    from emotion.core.metadata import ModelMetadata

THREADS = 1
"""For one thread the time is stated. What the files say does not depend on compute.threads then either."""


def main() -> None:
    """Read features, figures and model; write models/model.* and metrics/export.json."""
    params = load_params("evaluate", "faces")
    temperature = read_temperature()
    features = load_features(FEATURES)
    # Loading Keras takes seconds; what is wrong with the other files shows before them.
    from emotion.model_files.keras_setup import set_up

    set_up(THREADS, params.evaluate.seed)
    from emotion.model_files.keras_file import load_model
    from emotion.runtimes.export import check_backend, compare

    check_backend()
    network, metadata = load_model(TRAINED_MODEL)
    metadata = complete(metadata, params, temperature)
    write_files(network, metadata, features["x_train"])
    engines = {name: load_engine(path, threads=THREADS) for name, path in EXPORTED.items()}
    scores = compare(engines, features["x_test"], features["y_test"], metadata)
    report = {name: {"bytes": EXPORTED[name].stat().st_size} | found for name, found in scores.items()}
    write_json(EXPORT_METRICS, report)
    # A metric, but not among the stage's outputs, whose bytes are the same from run to run.
    times = time_taken(engines, features["x_test"][0])
    write_json(EXPORT_TIME, times)
    print("\n".join(describe(name, report[name], times["milliseconds_a_face"][name]) for name in EXPORTED))


def read_temperature() -> float:
    """Return the temperature that the stage evaluate fitted on the validation split.

    Raises:
        InputError: its figures are missing, or from before there was one.
    """
    remedy = "make it again with `dvc repro evaluate`"
    try:
        temperature: float = read_json(EVALUATION_METRICS, remedy)["temperature"]
    except (KeyError, TypeError):
        raise InputError(f"{EVALUATION_METRICS} gives no temperature; {remedy}") from None
    return temperature


def complete(metadata: "ModelMetadata", params: Params, temperature: float) -> "ModelMetadata":
    """Return `metadata` with how the model was scored, and how faces are to be found for it."""
    return replace(
        metadata,
        flip=params.evaluate.flip,
        threshold=params.evaluate.threshold,
        temperature=temperature,
        **params.faces.model_dump(),
    )


def write_files(network: "keras.Model", metadata: "ModelMetadata", images: np.ndarray) -> None:
    """Write `network` and `metadata` as every file of EXPORTED; `images` are those of training, as it takes them."""
    from emotion.model_files.keras_file import save_model
    from emotion.runtimes import export

    save_model(MODEL, network, metadata)
    export.write_tflite(TFLITE_MODEL, export.to_tflite(network), metadata)
    export.write_tflite(FLOAT16_MODEL, export.to_float16_tflite(network), metadata)
    export.write_tflite(INT8_MODEL, export.to_int8_tflite(network, images), metadata)
    export.write_onnx(ONNX_MODEL, export.to_onnx(network), metadata)


def time_taken(engines: Mapping[str, Engine], image: np.ndarray) -> dict[str, Any]:
    """Return how long one `image` takes each engine, and on what; the checksum tells which model it is of."""
    from emotion.model_files import keras_setup
    from emotion.runtimes.export import milliseconds_a_face

    return {
        "md5": hashlib.md5(MODEL.read_bytes(), usedforsecurity=False).hexdigest(),
        "processor": keras_setup.processor(),
        "threads": THREADS,
        "milliseconds_a_face": {name: milliseconds_a_face(engine, image) for name, engine in engines.items()},
    }


def describe(name: str, scores: Mapping[str, float], milliseconds: float) -> str:
    """Return a line on a file, for the terminal."""
    return (
        f"{EXPORTED[name].as_posix():28} {scores['bytes'] / 1e6:6.2f} MB, accuracy {scores['accuracy']:.1%}, "
        f"agreement {scores['agreement']:.1%}, {milliseconds:.2f} ms a face"
    )


if __name__ == "__main__":
    run_command(main)
