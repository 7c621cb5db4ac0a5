"""Checkpoints, from which an interrupted training continues as if it had not been interrupted."""

import hashlib
import io
import json
import sys
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeAlias

import keras
import numpy as np

from emotion.core.files import atomic_path, set_aside
from emotion.core.params import Params
from emotion.training import distribution
from emotion.training.precision import resolve_precision

DAMAGES = (EOFError, KeyError, TypeError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error)
"""The errors that a damaged .npy or .npz file raises."""

Row: TypeAlias = dict[str, float]
"""The figures of an epoch: epoch (from 1), size (pixels), loss, accuracy, val_loss, val_accuracy, learning_rate."""


@dataclass
class TrainingState:
    """The state of a training after a whole epoch.

    Attributes:
        variables: weights of the network in training, then those of the optimizer.
        best_weights: weights of the network after its best epoch so far.
        history: one row per epoch.
        best: the best epoch is history[best]; -1 before the first one.
        seconds: how long the epochs so far took.
    """

    variables: list[np.ndarray] = field(default_factory=list)
    best_weights: list[np.ndarray] = field(default_factory=list)
    history: list[Row] = field(default_factory=list)
    best: int = -1
    seconds: float = 0.0


def training_key(parts: dict[str, bytes]) -> str:
    """Return a name for a training of these parts: the same settings, data, Keras and code give the same one.

    A training does not continue from a checkpoint of other code: its result would differ from an uninterrupted run.
    """
    return hashlib.blake2b(b"".join(parts.values()), digest_size=16).hexdigest()


def training_parts(params: Params, classes: int, arrays: list[np.ndarray]) -> dict[str, bytes]:
    """Return digests of what a training depends on, 16 bytes each, by the names of the parts.

    Args:
        params: the sections `train`, `augmentation` and `compute`.
        classes: how many classes the labels have.
        arrays: the images and labels, and the weights of other networks.
    """
    settings = {
        "train": params.train.model_dump(),
        "augmentation": params.augmentation.model_dump(),
        "compute": params.compute.model_dump(),
        "classes": classes,
    }
    machine = [resolve_precision(params.train.precision), keras.version(), keras.backend.backend()]
    modules = {name: module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "emotion"}
    return {
        "params": _digest([json.dumps(settings, sort_keys=True).encode()]),
        "precision or Keras": _digest([json.dumps(machine).encode()]),
        "data": _digest(np.ascontiguousarray(array).data for array in arrays),
        "code": _digest(name.encode() + Path(file).read_bytes() for name, file in sorted(modules.items()) if file),
    }


def _digest(contents: Iterable[bytes | memoryview]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for content in contents:
        digest.update(content)
    return digest.digest()


def send_state(state: TrainingState | None) -> TrainingState | None:
    """Return the `state` that the first of several processes has; with one process this is `state`."""
    if distribution.processes() == 1:
        return state
    content = io.BytesIO()
    if state is not None:
        _write(content, state)
    sent = distribution.send_from_first(content.getvalue())
    return _read(io.BytesIO(sent)) if sent else None


class Checkpoint:
    """The last whole epoch of the training `key`, in one file in `folder`. The folder is made when needed."""

    def __init__(self, folder: Path, key: str) -> None:
        self.path = folder / f"{key}.npz"

    def save(self, state: TrainingState) -> None:
        """Replace the saved state; a kill at any moment leaves the old one or the new one."""
        with atomic_path(self.path) as temporary:
            _write(temporary, state)

    def load(self) -> TrainingState | None:
        """Return the saved state, or None where there is none.

        A damaged file is set aside with a warning, so that the training starts anew.
        """
        if not self.path.is_file():
            return None
        try:
            return _read(self.path)
        except DAMAGES as error:
            aside = set_aside(self.path)
            print(
                f"warning: the checkpoint {self.path} is damaged ({str(error) or type(error).__name__}). It is now "
                f"{aside.name}, and the training starts anew",
                file=sys.stderr,
            )
            return None

    def remove(self) -> None:
        """Delete the saved state."""
        self.path.unlink(missing_ok=True)


def _write(file: Path | IO[bytes], state: TrainingState) -> None:
    progress = json.dumps({"history": state.history, "best": state.best, "seconds": state.seconds})
    arrays = {f"variable_{i}": array for i, array in enumerate(state.variables)}
    arrays |= {f"best_{i}": array for i, array in enumerate(state.best_weights)}
    np.savez(file, allow_pickle=False, progress=np.array(progress), **arrays)


def _read(file: Path | IO[bytes]) -> TrainingState:
    with np.load(file, allow_pickle=False) as arrays:
        progress = json.loads(str(arrays["progress"]))
        return TrainingState(
            variables=_numbered(arrays, "variable_"),
            best_weights=_numbered(arrays, "best_"),
            history=progress["history"],
            best=progress["best"],
            seconds=progress["seconds"],
        )


def _numbered(arrays: Any, prefix: str) -> list[np.ndarray]:
    count = sum(name.startswith(prefix) for name in arrays.files)
    return [arrays[f"{prefix}{i}"] for i in range(count)]
