"""The engine for .keras files: Keras, on the backend that it is set to. It is imported with the first file."""

from pathlib import Path

import numpy as np

from emotion.runtimes.engine import BatchEngine, check_shapes
from emotion.runtimes.engine_errors import not_installed


class KerasEngine(BatchEngine):
    """A loaded .keras file.

    Args:
        path: the file.
        threads: has no effect, since Keras uses the threads of the process.

    Raises:
        InputError: Keras is not installed, or the file is no model of this project.
    """

    def __init__(self, path: Path, threads: int) -> None:
        try:
            from emotion.model_files import keras_setup  # noqa: F401  # imported first, since it keeps TensorFlow quiet
            from emotion.model_files.keras_file import load_model
        except ImportError as error:
            raise not_installed(path, error, "tensorflow keras") from None
        self.path = path
        self._network, self.metadata = load_model(path)
        inputs, outputs = self._network.inputs or [], self._network.outputs or []
        check_shapes(path, self.metadata, [tensor.shape for tensor in inputs], [tensor.shape for tensor in outputs])

    def _predict_batch(self, images: np.ndarray) -> np.ndarray:
        # `predict` sets up a loop at every call, which takes longer than one face. The bits are the same.
        outputs: np.ndarray = self._network.predict_on_batch(images)
        return outputs
