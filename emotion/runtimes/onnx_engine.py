"""The engine for .onnx files: ONNX Runtime, on the processor."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emotion.core.metadata import METADATA_PROPERTY, read_metadata
from emotion.runtimes.engine import BatchEngine, check_shapes
from emotion.runtimes.engine_errors import broken_file, not_installed, without_metadata
from emotion.runtimes.onnx_schema import find_fault

if TYPE_CHECKING:  # at run time the first file imports it
    import onnxruntime


class OnnxEngine(BatchEngine):
    """A loaded .onnx file.

    Args:
        path: the file.
        threads: number of threads that compute.

    Raises:
        InputError: ONNX Runtime is not installed, or the file is no model of this project.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self.path = path
        self._session = _make_session(path, threads)
        properties = self._session.get_modelmeta().custom_metadata_map
        if METADATA_PROPERTY not in properties:
            raise without_metadata(path)
        self.metadata = read_metadata(properties[METADATA_PROPERTY], str(path))
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        check_shapes(path, self.metadata, [tensor.shape for tensor in inputs], [tensor.shape for tensor in outputs])
        if inputs[0].type != "tensor(uint8)":
            raise broken_file(path, f"it takes {inputs[0].type}, not tensor(uint8)")
        self._input = inputs[0].name

    def _predict_batch(self, images: np.ndarray) -> np.ndarray:
        outputs: np.ndarray = self._session.run(None, {self._input: images})[0]
        return outputs


def _make_session(path: Path, threads: int) -> "onnxruntime.InferenceSession":
    try:
        import onnxruntime
    except ImportError as error:
        raise not_installed(path, error, "onnxruntime") from None
    content = path.read_bytes()
    # ONNX Runtime would read weights from another file, and run a loop for ever.
    fault = find_fault(content)
    if fault:
        raise broken_file(path, fault)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    # Not the other format that the runtime knows, which `find_fault` does not read.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    return onnxruntime.InferenceSession(
        content,
        options,
        ["CPUExecutionProvider"],
        enable_fallback=False,  # a fallback would print that it tries the same again
    )
