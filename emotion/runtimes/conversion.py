"""Conversion of a trained model to the file formats of other programs: .h5, .tflite and .onnx."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from emotion.core.files import atomic_path
from emotion.core.metadata import METADATA_MEMBER, ModelMetadata
from emotion.model_files.keras_file import load_model
from emotion.runtimes.onnx_export import to_onnx, write_onnx
from emotion.runtimes.tflite_export import to_float32_tflite, write_tflite

if TYPE_CHECKING:  # at run time emotion.model_files.keras_setup must load it first
    import keras


def convert(source: Path, target: Path) -> None:
    """Write the model file `source` as `target`, in the file format that its suffix names.

    `.tflite` is for TensorFlow Lite and `.onnx` for ONNX, both in float32. `.h5` is Keras' older format, with the same
    network and weights. Each file holds the metadata; an `.h5` file has it as the attribute `emotion.json`.

    Raises:
        InputError: `source` is no model of this project or cannot be converted.
    """
    model, metadata = load_model(source)
    WRITERS[target.suffix](target, model, metadata)


def _write_h5(target: Path, model: "keras.Model", metadata: ModelMetadata) -> None:
    with atomic_path(target) as temporary:
        with _without_advice():
            model.save(temporary)
        with h5py.File(temporary, "r+") as file:
            file.attrs[METADATA_MEMBER] = json.dumps(asdict(metadata))


WRITERS = {
    ".h5": _write_h5,
    ".tflite": lambda target, model, metadata: write_tflite(target, to_float32_tflite(model), metadata),
    ".onnx": lambda target, model, metadata: write_onnx(target, to_onnx(model), metadata),
}
"""Functions that write a model file, by its suffix."""


@contextmanager
def _without_advice() -> Iterator[None]:
    """Suppress Keras' advice to save the model as .keras, since the source is such a file."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
