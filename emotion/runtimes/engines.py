"""What runs a model file: Keras, TensorFlow Lite or ONNX Runtime, by the file's suffix; all give the same answers.

Each is loaded when a file asks for it, so that a TFLite file starts in a fraction of the time that TensorFlow takes.
"""

import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np

from emotion.core.errors import InputError
from emotion.core.metadata import METADATA_MEMBER, METADATA_PROPERTY, ModelMetadata, read_metadata
from emotion.core.quiet import quiet
from emotion.parallel.cores import available_cores

MAX_MODEL_BYTES = 2**30
MAX_METADATA_BYTES = 2**20
EXTERNAL_WEIGHTS = b"\x0a\x08location"
"""How an ONNX file says that weights lie in another file, which would be read from the working folder."""

NOT_OURS = "expected a model file that this project wrote: .keras, .tflite or .onnx"


class Engine(Protocol):
    """A loaded model file. Its outputs are probabilities, (n, classes), or (n, 1): that of the second of two."""

    metadata: ModelMetadata

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
    with quiet():  # each says something of itself on being loaded
        return engine(path, threads or available_cores())


class _BatchEngine(ABC):
    """What the engines have in common: images are checked, and run batch by batch."""

    metadata: ModelMetadata

    def predict(self, x: np.ndarray, *, batch_size: int, verbose: int = 0) -> np.ndarray:
        """Take uint8 (n, size, size, channels); return float32 (n, classes) or (n, 1)."""
        size, channels = self.metadata.size, self.metadata.channels
        if x.dtype != np.uint8 or x.shape[1:] != (size, size, channels) or not len(x):
            raise InputError(
                f"got images of {x.dtype} and shape {x.shape}, expected uint8 (n, {size}, {size}, {channels})"
            )
        batches = [self._run(x[start : start + batch_size]) for start in range(0, len(x), batch_size)]
        return np.concatenate(batches).astype(np.float32, copy=False)

    @abstractmethod
    def _run(self, images: np.ndarray) -> np.ndarray: ...


class KerasEngine(_BatchEngine):
    """A .keras file, run by Keras on the backend that it is set to."""

    def __init__(self, path: Path, threads: int) -> None:
        try:
            from emotion.model_files import keras_setup  # noqa: F401  # first of all, since it keeps TensorFlow quiet
            from emotion.model_files.keras_file import load_model
        except ImportError as error:
            raise _not_installed(path, error) from None
        self._network, self.metadata = load_model(path)
        inputs, outputs = self._network.inputs or [], self._network.outputs or []
        _check_shapes(path, self.metadata, [tensor.shape for tensor in inputs], [tensor.shape for tensor in outputs])

    def _run(self, images: np.ndarray) -> np.ndarray:
        # Not `predict`, which sets up a loop each time: that takes longer than one face does. The bits are the same.
        outputs: np.ndarray = self._network.predict_on_batch(images)
        return outputs


class TFLiteEngine(_BatchEngine):
    """A .tflite file, run by LiteRT."""

    def __init__(self, path: Path, threads: int) -> None:
        self.metadata = read_metadata(_zip_member(path), str(path))
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise _not_installed(path, error) from None
        try:
            self._interpreter = Interpreter(model_content=path.read_bytes(), num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError, MemoryError) as error:
            raise _broken(path, error) from None
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shapes = ([tensor["shape_signature"].tolist() for tensor in tensors] for tensors in (inputs, outputs))
        _check_shapes(path, self.metadata, *shapes)
        if inputs[0]["dtype"] != np.uint8:
            raise _broken(path, f"it takes {np.dtype(inputs[0]['dtype'])}, not uint8")
        self._input, self._output = inputs[0]["index"], outputs[0]["index"]
        self._lock = Lock()

    def _run(self, images: np.ndarray) -> np.ndarray:
        # One by one: a batch is no faster here, and another number of images would lay out the memory anew.
        with self._lock:
            return np.concatenate([self._run_one(image) for image in images])

    def _run_one(self, image: np.ndarray) -> np.ndarray:
        self._interpreter.set_tensor(self._input, image[None])
        self._interpreter.invoke()
        outputs: np.ndarray = self._interpreter.get_tensor(self._output)
        return outputs


class OnnxEngine(_BatchEngine):
    """An .onnx file, run by ONNX Runtime on the processor."""

    def __init__(self, path: Path, threads: int) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise _not_installed(path, error) from None
        content = path.read_bytes()
        if EXTERNAL_WEIGHTS in content:
            raise _broken(path, "its weights lie in another file")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                content,
                options,
                ["CPUExecutionProvider"],
                enable_fallback=False,  # it would print that it tries the same again
            )
        # Its exceptions are classes of a compiled module that have nothing in common but this.
        except Exception as error:
            raise _broken(path, error) from None
        properties = self._session.get_modelmeta().custom_metadata_map
        if METADATA_PROPERTY not in properties:
            raise _unlabeled(path)
        self.metadata = read_metadata(properties[METADATA_PROPERTY], str(path))
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        _check_shapes(path, self.metadata, [tensor.shape for tensor in inputs], [tensor.shape for tensor in outputs])
        if inputs[0].type != "tensor(uint8)":
            raise _broken(path, f"it takes {inputs[0].type}, not tensor(uint8)")
        self._input = inputs[0].name

    def _run(self, images: np.ndarray) -> np.ndarray:
        outputs: np.ndarray = self._session.run(None, {self._input: images})[0]
        return outputs


ENGINES: dict[str, Callable[[Path, int], Engine]] = {
    ".keras": KerasEngine,
    ".tflite": TFLiteEngine,
    ".onnx": OnnxEngine,
}
"""By the suffix of the file."""

PACKAGES: dict[str, str] = {".keras": "tensorflow keras", ".tflite": "ai-edge-litert", ".onnx": "onnxruntime"}


def _zip_member(path: Path) -> bytes:
    """Return the form in the zip archive that stands behind the network in the file at `path`."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(METADATA_MEMBER).file_size > MAX_METADATA_BYTES:
                raise _broken(path, f"{METADATA_MEMBER} in it is larger than {MAX_METADATA_BYTES // 2**20} MiB")
            return archive.read(METADATA_MEMBER)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError, zlib.error):
        raise _unlabeled(path) from None


def _check_shapes(path: Path, metadata: ModelMetadata, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
    """Raise InputError where a network takes or gives arrays of other shapes than its `metadata` says.

    `inputs` and `outputs` are the shapes of each; a dimension may be left open, as None, -1 or a name.
    """
    units = (1, 2) if len(metadata.emotions) == 2 else (len(metadata.emotions),)
    takes, gives = [list(shape) for shape in inputs], [list(shape) for shape in outputs]
    if not (
        [len(shape) for shape in takes + gives] == [4, 2]
        and all(map(_fits, takes[0][1:], (metadata.size, metadata.size, metadata.channels)))
        and any(_fits(gives[0][1], number) for number in units)
    ):
        raise InputError(
            f"{path} takes {takes} and gives {gives}, and says that it takes {metadata.color} images of "
            f"{metadata.size} x {metadata.size} pixels and tells apart {len(metadata.emotions)} emotions; {NOT_OURS}"
        )


def _fits(dimension: object, expected: int) -> bool:
    return not isinstance(dimension, int) or dimension in (-1, expected)


def _not_installed(path: Path, error: ImportError) -> InputError:
    return InputError(
        f"{path} cannot be run here ({error}); install what runs it: pip install {PACKAGES[path.suffix.lower()]}, or "
        "name a model file of another kind"
    )


def _broken(path: Path, error: object) -> InputError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return InputError(f"{path} cannot be loaded as a model ({reason}); {NOT_OURS}")


def _unlabeled(path: Path) -> InputError:
    return InputError(f"{path} does not say which emotions it tells apart; {NOT_OURS}")
