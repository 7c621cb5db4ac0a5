"""The interface of engines. An engine is a loaded model file that gives probabilities.

All engines give the same probabilities, up to rounding.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from emotion.core.errors import InputError
from emotion.core.metadata import ModelMetadata
from emotion.runtimes.engine_errors import NOT_OURS, failed_network


class Engine(Protocol):
    """A loaded model file. Its outputs are probabilities (n, classes).

    For two classes the outputs may be (n, 1), the probability of the second class.
    """

    metadata: ModelMetadata

    def predict(self, x: np.ndarray, *, batch_size: int, verbose: int) -> np.ndarray:
        """Return the probabilities, float32 (n, classes) or (n, 1), for images `x`.

        Args:
            x: uint8 (n, size, size, channels).
            batch_size: images per step.
            verbose: has no effect. It is there to match `keras.Model.predict`.
        """
        ...


class BatchEngine(ABC):
    """Base class of the engines. It checks the images and runs them batch by batch."""

    path: Path
    metadata: ModelMetadata

    def predict(self, x: np.ndarray, *, batch_size: int, verbose: int = 0) -> np.ndarray:
        """Return the probabilities, float32 (n, classes) or (n, 1), for images `x`.

        Args:
            x: uint8 (n, size, size, channels).
            batch_size: images per step.
            verbose: has no effect. It is there to match `keras.Model.predict`.

        Raises:
            InputError: `x` has another type or shape, or holds no images; or the network in the file cannot compute.
        """
        size, channels = self.metadata.size, self.metadata.channels
        if x.dtype != np.uint8 or x.shape[1:] != (size, size, channels) or not len(x):
            raise InputError(
                f"got images of {x.dtype} and shape {x.shape}, expected uint8 (n, {size}, {size}, {channels})"
            )
        try:
            batches = [self._predict_batch(x[start : start + batch_size]) for start in range(0, len(x), batch_size)]
        except (InputError, OSError, MemoryError):
            raise
        # The errors of the runtimes have no common base class.
        except Exception as error:
            raise failed_network(self.path, error) from error
        return np.concatenate(batches).astype(np.float32, copy=False)

    @abstractmethod
    def _predict_batch(self, images: np.ndarray) -> np.ndarray: ...


def check_shapes(path: Path, metadata: ModelMetadata, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
    """Raise InputError where the input or output shapes of a network contradict its `metadata`.

    Args:
        path: the model file.
        metadata: the metadata in the file.
        inputs: the shape of each input. An open dimension is None, -1 or a name.
        outputs: the shape of each output, in the same form.
    """
    units = (1, 2) if len(metadata.emotions) == 2 else (len(metadata.emotions),)
    takes, gives = [list(shape) for shape in inputs], [list(shape) for shape in outputs]
    if not (
        [len(shape) for shape in takes + gives] == [4, 2]
        and all(map(_fits, takes[0][1:], (metadata.size, metadata.size, metadata.channels)))
        and any(_fits(gives[0][1], number) for number in units)
    ):
        raise InputError(
            f"{path} takes {takes} and gives {gives}, but its metadata states {metadata.color} images of "
            f"{metadata.size} x {metadata.size} pixels and {len(metadata.emotions)} emotions; {NOT_OURS}"
        )


def _fits(dimension: object, expected: int) -> bool:
    return not isinstance(dimension, int) or dimension in (-1, expected)
