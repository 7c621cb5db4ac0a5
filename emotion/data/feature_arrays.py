"""Reading and checking of the arrays in data/features, in both file formats."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from emotion.core.errors import InputError
from emotion.data.table import SPLITS

ARRAYS = tuple(f"{letter}_{split}" for split in SPLITS for letter in "xy")
"""Names of the arrays: x for images, y for labels."""

VOTES = "votes_train"
"""Name of the further array that exists where labels.targets is `votes`."""

DTYPES = {"x": (np.uint8, 4), "y": (np.int32, 1), "v": (np.uint8, 2)}
"""Type and number of dimensions of the arrays, by the first letter of their names."""

PICKLE = "features.pkl"


def load_features(folder: Path) -> dict[str, np.ndarray]:
    """Return the arrays in `folder` by name: x_train, y_train, x_val, y_val, x_test and y_test.

    x is uint8 of shape (images, size, size, 1 or 3), and y is int32 of shape (images,). Where labels.targets is
    `votes`, there is also votes_train, uint8 of shape (images, classes).

    Arrays in .npy files stay on disk and are read when they are used. features.pkl is read into memory. Code in a
    forged file is not run.

    Raises:
        InputError: a file is missing, damaged, or has other types, shapes or lengths.
    """
    arrays = _unpickle(folder / PICKLE) if (folder / PICKLE).exists() else _load_arrays(folder)
    names = [*ARRAYS, VOTES] if VOTES in arrays else ARRAYS
    for name in names:
        _check_array(folder, name, arrays.get(name))
    for split in SPLITS:
        images, labels = len(arrays[f"x_{split}"]), len(arrays[f"y_{split}"])
        if images != labels:
            raise InputError(
                f"{folder}: x_{split} holds {images} images and y_{split} {labels} labels, expected as many of both; "
                "run `dvc repro extract_features`"
            )
    images, votes = len(arrays["x_train"]), len(arrays.get(VOTES, arrays["x_train"]))
    if images != votes:
        raise InputError(
            f"{folder}: x_train holds {images} images and {VOTES} the votes on {votes}, expected as many of both; "
            "run `dvc repro extract_features`"
        )
    return {name: arrays[name] for name in names}


def _load_arrays(folder: Path) -> dict[str, Any]:
    names = [*ARRAYS, VOTES] if (folder / f"{VOTES}.npy").exists() else ARRAYS
    try:
        return {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names}
    except FileNotFoundError as error:
        raise InputError(f"{error.filename} is missing; run `dvc repro extract_features`") from None
    except (ValueError, EOFError) as error:
        raise InputError(f"{folder} cannot be read ({error}); run `dvc repro extract_features`") from None


def _check_array(folder: Path, name: str, array: Any) -> None:
    dtype, dimensions = DTYPES[name[0]]
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != dimensions:
        actual = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(
            f"{folder}: {name} is {actual}, expected {np.dtype(dtype)} with {dimensions} dimension(s); "
            "run `dvc repro extract_features`"
        )


class _PickledType:
    """Replacement of numpy.dtype in a pickle. A forged state of numpy.dtype itself could give memory a wrong type."""

    def __init__(self, name: str, *_: object) -> None:
        if name not in ("u1", "i4"):
            raise pickle.UnpicklingError(f"it holds values of the type {name!r}, expected u1 or i4")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] not in ("|", self.dtype.newbyteorder("=").str[0]):
            raise pickle.UnpicklingError(f"its bytes are in the order {state[1]!r}, expected the order of this machine")


def _pickled_array(buffer: Any, kind: _PickledType, shape: tuple[int, ...], order: str) -> np.ndarray:
    if order != "C":
        raise pickle.UnpicklingError(f"its values are in the order {order!r}, expected 'C'")
    return np.frombuffer(buffer, kind.dtype).reshape(shape)


PICKLE_GLOBALS = {
    ("numpy", "dtype"): _PickledType,
    ("numpy._core.numeric", "_frombuffer"): _pickled_array,
    ("numpy.core.numeric", "_frombuffer"): _pickled_array,
}
"""Names in a pickle of numpy arrays (protocol 5), and their replacements in this module."""


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickler of numpy arrays in plain containers. It refuses all other names, so that no foreign code runs."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) not in PICKLE_GLOBALS:
            raise pickle.UnpicklingError(f"it names {module_name}.{global_name}, expected numpy arrays only")
        return PICKLE_GLOBALS[module_name, global_name]


def _unpickle(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = _ArrayUnpickler(file).load()
    # A pickle that is broken or malicious can raise anything.
    except Exception as error:
        raise InputError(f"{path} cannot be read ({error}); run `dvc repro extract_features`") from None
    if not isinstance(content, dict):
        raise InputError(
            f"{path} holds a {type(content).__name__}, expected a dict of arrays; run `dvc repro extract_features`"
        )
    return content
