"""Loads a model file with the engine for its suffix: Keras, TensorFlow Lite or ONNX Runtime.

Each runtime is loaded with the first file that needs it, so that a TFLite file starts without TensorFlow.
"""

from collections.abc import Callable
from pathlib import Path

from emotion.core.errors import InputError
from emotion.core.quiet import quiet
from emotion.parallel.cores import available_cores
from emotion.runtimes.engine import Engine
from emotion.runtimes.engine_errors import NOT_OURS
from emotion.runtimes.keras_engine import KerasEngine
from emotion.runtimes.onnx_engine import OnnxEngine
from emotion.runtimes.tflite_engine import TFLiteEngine

MAX_MODEL_BYTES = 2**30

ENGINES: dict[str, Callable[[Path, int], Engine]] = {
    ".keras": KerasEngine,
    ".tflite": TFLiteEngine,
    ".onnx": OnnxEngine,
}
"""By the suffix of the file."""


def load_engine(path: Path, *, threads: int | None = None) -> Engine:
    """Load the model file at `path`.

    Args:
        path: a .keras, .tflite or .onnx file that this project wrote.
        threads: how many may compute, by default one per core. Keras takes the threads of the process.

    Raises:
        InputError: there is no such file, it is no model of this project, it would run code on loading, or what runs
            such files is not installed.
    """
    engine = ENGINES.get(path.suffix.lower())
    if engine is None:
        raise InputError(f"{path}: {NOT_OURS}")
    if not path.is_file():
        raise InputError(f"{path} is missing; make it with `dvc repro`, or fetch it with `dvc pull {path}`")
    if path.stat().st_size > MAX_MODEL_BYTES:
        raise InputError(f"{path} is larger than {MAX_MODEL_BYTES // 2**20} MiB; {NOT_OURS}")
    with quiet():  # each runtime prints something on being loaded
        return engine(path, threads or available_cores())
