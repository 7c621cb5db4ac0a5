"""What runs a model file: Keras, TensorFlow Lite or ONNX Runtime, by the file's suffix; all give the same answers.

Each is loaded when a file asks for it, so that a TFLite file starts in a fraction of the time that TensorFlow takes.
"""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from emotion.errors import InputError
from emotion.model_form import FORM_MEMBER, FORM_PROPERTY, ModelForm, read_form

MAX_MODEL_BYTES = 2**30
NOT_OURS = "expected a model file that this project wrote: .keras, .tflite or .onnx"


class Engine(Protocol):
    """A loaded model file. Its outputs are probabilities, (n, classes), or (n, 1): that of the second of two."""

    form: ModelForm

    def predict(self, x: np.ndarray, *, batch_size: int, verbose: int) -> np.ndarray:
        """Take uint8 (n, size, size, channels); return float32 (n, classes) or (n, 1). `verbose` is for Keras."""
        ...


def load_engine(path: Path, *, threads: int | None = None) -> Engine:
    """Load the model file at `path`.

    Args:
        path: a .keras, .tflite or .onnx file that this project wrote.
        threads: how many may compute; as many as there are cores unless told. Keras takes those of the process.

    Raises:
        InputError: there is no such file, it is no model of this project, it asks to run code on loading, or what
            runs such files is not installed.
    """
    engine = ENGINES.get(path.suffix.lower())
    if engine is None:
        raise InputError(f"{path}: {NOT_OURS}")
    if not path.is_file():
        raise InputError(f"{path} is missing; make it with `dvc repro`, or fetch it with `dvc pull {path}`")
    if path.stat().st_size > MAX_MODEL_BYTES:
        raise InputError(f"{path} is larger than {MAX_MODEL_BYTES // 2**20} MiB; {NOT_OURS}")
    return engine(path, threads or os.cpu_count() or 1)


class KerasEngine:
    """A .keras file, run by Keras on the backend that it is set to."""

    def __init__(self, path: Path, threads: int) -> None:
        try:
            from emotion import runtime  # noqa: F401  # first of all, since it keeps TensorFlow quiet
            from emotion.model_file import load_model
        except ImportError as error:
            raise _not_installed(path, error) from None
        self.network, self.form = load_model(path)

    def predict(self, x: np.ndarray, *, batch_size: int, verbose: int = 0) -> np.ndarray:
        # Keras' own `predict` sets up a loop each time, which takes longer than one face does.
        batches = [
            self.network(x[start : start + batch_size], training=False) for start in range(0, len(x), batch_size)
        ]
        return np.concatenate([np.asarray(batch, dtype=np.float32) for batch in batches])


class TFLiteEngine:
    """A .tflite file, run by LiteRT, or by TensorFlow's own interpreter where that is what there is."""

    def __init__(self, path: Path, threads: int) -> None:
        self.form = read_form(_zip_member(path), str(path))
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise _not_installed(path, error) from None
        try:
            self._interpreter = Interpreter(model_content=path.read_bytes(), num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise _broken(path, error) from None
        self._input, self._output = (
            self._interpreter.get_input_details()[0]["index"],
            self._interpreter.get_output_details()[0]["index"],
        )

    def predict(self, x: np.ndarray, *, batch_size: int, verbose: int = 0) -> np.ndarray:
        batches = [self._run(x[start : start + batch_size]) for start in range(0, len(x), batch_size)]
        return np.concatenate(batches)

    def _run(self, images: np.ndarray) -> np.ndarray:
        if self._interpreter.get_input_details()[0]["shape"][0] != len(images):
            self._interpreter.resize_tensor_input(self._input, images.shape)
            self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(self._input, images)
        self._interpreter.invoke()
        outputs: np.ndarray = self._interpreter.get_tensor(self._output)
        return outputs.astype(np.float32)


class OnnxEngine:
    """An .onnx file, run by ONNX Runtime on the processor."""

    def __init__(self, path: Path, threads: int) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise _not_installed(path, error) from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(path.read_bytes(), options, ["CPUExecutionProvider"])
        # Its exceptions are classes of a compiled module that have nothing in common but this.
        except Exception as error:
            raise _broken(path, error) from None
        properties = self._session.get_modelmeta().custom_metadata_map
        if FORM_PROPERTY not in properties:
            raise _unlabelled(path)
        self.form = read_form(properties[FORM_PROPERTY], str(path))
        self._input = self._session.get_inputs()[0].name

    def predict(self, x: np.ndarray, *, batch_size: int, verbose: int = 0) -> np.ndarray:
        starts = range(0, len(x), batch_size)
        batches = [self._session.run(None, {self._input: x[start : start + batch_size]})[0] for start in starts]
        return np.concatenate(batches).astype(np.float32)


ENGINES: dict[str, Callable[[Path, int], Engine]] = {
    ".keras": KerasEngine,
    ".tflite": TFLiteEngine,
    ".onnx": OnnxEngine,
}
"""By the suffix of the file."""

PACKAGES: dict[str, str] = {".keras": "tensorflow keras", ".tflite": "ai-edge-litert", ".onnx": "onnxruntime"}


def _zip_member(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(FORM_MEMBER)
    except (zipfile.BadZipFile, KeyError):
        raise _unlabelled(path) from None


def _not_installed(path: Path, error: ImportError) -> InputError:
    return InputError(
        f"{path} cannot be run here ({error}); install what runs it: pip install {PACKAGES[path.suffix.lower()]}, or "
        "name a model file of another kind"
    )


def _broken(path: Path, error: Any) -> InputError:
    return InputError(f"{path} cannot be loaded as a model ({str(error).strip().splitlines()[0]}); {NOT_OURS}")


def _unlabelled(path: Path) -> InputError:
    return InputError(f"{path} does not say which emotions it tells apart; {NOT_OURS}")
