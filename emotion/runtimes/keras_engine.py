"""Runs .keras files with Keras, on the backend that it is set to. Keras is loaded with the first file."""

from pathlib import Path

import numpy as np

from emotion.runtimes.engine import BatchEngine, check_shapes
from emotion.runtimes.engine_errors import not_installed


class KerasEngine(BatchEngine):
    """A .keras file.

    Args:
        path: the file.
        threads: ignored, since Keras takes the threads of the process.

    Raises:
        InputError: Keras is not installed, or the file is no model of this project.
    """

    def __init__(self, path: Path, threads: int) -> None:
        try:
            from emotion.model_files import keras_setup  # noqa: F401  # first of all, since it keeps TensorFlow quiet
            from emotion.model_files.keras_file import load_model
        except ImportError as error:
            raise not_installed(path, error, "tensorflow keras") from None
        self._network, self.metadata = load_model(path)
        inputs, outputs = self._network.inputs or [], self._network.outputs or []
        check_shapes(path, self.metadata, [tensor.shape for tensor in inputs], [tensor.shape for tensor in outputs])

    def _predict_batch(self, images: np.ndarray) -> np.ndarray:
        # Not `predict`, which sets up a loop each time: that takes longer than one face does. The bits are the same.
        outputs: np.ndarray = self._network.predict_on_batch(images)
        return outputs
