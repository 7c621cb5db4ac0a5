"""Loading of a model file with the engine for its suffix: Keras, TensorFlow Lite or ONNX Runtime.

A runtime is imported with the first file that needs it, so that a TFLite file loads without TensorFlow.
"""

from collections.abc import Callable
from pathlib import Path

from emotion.core.errors import InputError
from emotion.core.quiet import quiet
from emotion.model_files.remedies import find_remedy
from emotion.parallel.cores import available_cores
from emotion.runtimes.engine import Engine
from emotion.runtimes.engine_errors import NOT_OURS, broken_file
from emotion.runtimes.keras_engine import KerasEngine
from emotion.runtimes.onnx_engine import OnnxEngine
from emotion.runtimes.tflite_engine import TFLiteEngine

MAX_MODEL_BYTES = 2**30

ENGINES: dict[str, Callable[[Path, int], Engine]] = {
    ".keras": KerasEngine,
    ".tflite": TFLiteEngine,
    ".onnx": OnnxEngine,
}
"""Engines by the suffix of the model file."""


def load_engine(path: Path, *, threads: int | None = None) -> Engine:
    """Load the model file at `path`.

    Args:
        path: a .keras, .tflite or .onnx file that this project wrote.
        threads: number of threads that compute, by default one per core. Keras uses the threads of the process.

    Raises:
        InputError: the file is missing, is no model of this project, or would run code when loaded; or its runtime is
            not installed.
    """
    engine = ENGINES.get(path.suffix.lower())
    if engine is None:
        raise InputError(f"{path}: got the suffix {path.suffix!r}, {NOT_OURS}")
    if not path.is_file():
        raise InputError(f"{path} is missing; {find_remedy(path)}")
    if path.stat().st_size > MAX_MODEL_BYTES:
        raise InputError(f"{path} is larger than {MAX_MODEL_BYTES // 2**20} MiB; {NOT_OURS}")
    with quiet():  # each runtime prints something when it is loaded
        try:
            return engine(path, threads or available_cores())
        except (InputError, OSError):
            raise
        # The errors of the runtimes have no common base class.
        except Exception as error:
            raise broken_file(path, error) from error
