"""The engine for .tflite files: LiteRT, which starts in a fraction of the time that TensorFlow takes."""

import math
import zipfile
import zlib
from pathlib import Path
from threading import Lock

import numpy as np

from emotion.core.metadata import METADATA_MEMBER, read_metadata
from emotion.runtimes.engine import BatchEngine, check_shapes
from emotion.runtimes.engine_errors import broken_file, not_installed, without_metadata

MAX_METADATA_BYTES = 2**20

MAX_VALUES = 2**28
"""Values in all tensors of a network together. As float32 they fill 1 GiB."""

CONTROL_FLOW = frozenset({"WHILE", "IF", "CALL", "CALL_ONCE"})
"""Operations that run another part of the network, which no model of this project has."""


class TFLiteEngine(BatchEngine):
    """A loaded .tflite file.

    Args:
        path: the file.
        threads: number of threads that compute.

    Raises:
        InputError: LiteRT is not installed, or the file is no model of this project.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self.path = path
        self.metadata = read_metadata(_read_member(path), str(path))
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise not_installed(path, error, "ai-edge-litert") from None
        self._interpreter = Interpreter(model_content=path.read_bytes(), num_threads=threads)
        # A loop may run for ever.
        if any(operation["op_name"] in CONTROL_FLOW for operation in self._interpreter._get_ops_details()):
            raise broken_file(path, "it has a loop or a branch")
        self._check_size()
        self._interpreter.allocate_tensors()
        # Now with the sizes that LiteRT computed. Memory that was not written to is not taken yet.
        self._check_size()
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shapes = ([tensor["shape_signature"].tolist() for tensor in tensors] for tensors in (inputs, outputs))
        check_shapes(path, self.metadata, *shapes)
        if inputs[0]["dtype"] != np.uint8:
            raise broken_file(path, f"it takes {np.dtype(inputs[0]['dtype'])}, not uint8")
        self._input, self._output = inputs[0]["index"], outputs[0]["index"]
        self._lock = Lock()

    def _check_size(self) -> None:
        """Raise InputError where the tensors would fill the memory."""
        values = sum(math.prod(tensor["shape"].tolist()) for tensor in self._interpreter.get_tensor_details())
        if values > MAX_VALUES:
            raise broken_file(self.path, f"its tensors have {values} values, more than {MAX_VALUES}")

    def _predict_batch(self, images: np.ndarray) -> np.ndarray:
        # A batch is no faster here, and another number of images would allocate the memory again.
        with self._lock:
            return np.concatenate([self._predict_one(image) for image in images])

    def _predict_one(self, image: np.ndarray) -> np.ndarray:
        self._interpreter.set_tensor(self._input, image[None])
        self._interpreter.invoke()
        outputs: np.ndarray = self._interpreter.get_tensor(self._output)
        return outputs


def _read_member(path: Path) -> bytes:
    """Return the metadata from the zip archive that follows the network in the file at `path`."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(METADATA_MEMBER).file_size > MAX_METADATA_BYTES:
                raise broken_file(path, f"{METADATA_MEMBER} in it is larger than {MAX_METADATA_BYTES // 2**20} MiB")
            return archive.read(METADATA_MEMBER)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError, zlib.error):
        raise without_metadata(path) from None
