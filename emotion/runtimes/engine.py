"""An engine: a loaded model file that gives probabilities. All engines give the same ones."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from emotion.core.errors import InputError
from emotion.core.metadata import ModelMetadata
from emotion.runtimes.engine_errors import NOT_OURS


class Engine(Protocol):
    """A loaded model file. Its outputs are probabilities, (n, classes), or (n, 1): that of the second of two."""

    metadata: ModelMetadata

    def predict(self, x: np.ndarray, *, batch_size: int, verbose: int) -> np.ndarray:
        """Take uint8 (n, size, size, channels); return float32 (n, classes) or (n, 1). `verbose` is for Keras."""
        ...


class BatchEngine(ABC):
    """What the engines have in common: images are checked, and run batch by batch."""

    metadata: ModelMetadata

    def predict(self, x: np.ndarray, *, batch_size: int, verbose: int = 0) -> np.ndarray:
        """Take uint8 (n, size, size, channels); return float32 (n, classes) or (n, 1).

        Raises:
            InputError: `x` is no such array, or holds no images.
        """
        size, channels = self.metadata.size, self.metadata.channels
        if x.dtype != np.uint8 or x.shape[1:] != (size, size, channels) or not len(x):
            raise InputError(
                f"got images of {x.dtype} and shape {x.shape}, expected uint8 (n, {size}, {size}, {channels})"
            )
        batches = [self._predict_batch(x[start : start + batch_size]) for start in range(0, len(x), batch_size)]
        return np.concatenate(batches).astype(np.float32, copy=False)

    @abstractmethod
    def _predict_batch(self, images: np.ndarray) -> np.ndarray: ...


def check_shapes(path: Path, metadata: ModelMetadata, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
    """Raise InputError where a network takes or gives arrays of other shapes than its `metadata` says.

    Args:
        path: the model file.
        metadata: what the file says of itself.
        inputs: the shape of each input; a dimension may be open, as None, -1 or a name.
        outputs: the shape of each output, in the same way.
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
