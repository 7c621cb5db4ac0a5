"""The table and its pictures -> arrays for training, and reading these back."""

import math
import pickle
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emotion.errors import InputError
from emotion.images import to_input
from emotion.params import FeaturesParams
from emotion.sources.contents import Convert, Source
from emotion.table import SPLITS

ARRAYS = tuple(f"{letter}_{split}" for split in SPLITS for letter in "xy")
"""The arrays' names: x for pictures, y for labels."""

PICKLE = "features.pkl"

PIECE = 2048
"""Pictures between which nothing is kept in memory."""

MakeSource = Callable[[], Source]


def extract(
    table: pd.DataFrame, pixels: Path, open_source: MakeSource, params: FeaturesParams, folder: Path
) -> dict[str, int]:
    """Write the pictures of `table` that are used to `folder` as arrays; return how many there are by split.

    The folder holds {x,y}_{train,val,test}.npy, or features.pkl with a dict of the same arrays: x uint8 of shape
    (pictures, size, size, channels), y int32 of shape (pictures,), in the order of the table. It is replaced as a
    whole at the end.

    Args:
        table: as emotion.table.read_table returns it.
        pixels: the file that the column `offset` points into.
        open_source: called only where pictures must be read from the source again.
        params: size, color and format of the arrays.
        folder: it and what it holds are replaced.

    Raises:
        InputError: the table and the pixels do not belong together, or a picture cannot be read any more.
    """
    used = table[table["excluded"] == ""]
    _check_pixels(used, pixels)
    with atomic_folder(folder) as temporary:
        counts = {split: int((used["split"] == split).sum()) for split in SPLITS}
        _create_arrays(temporary, counts, params)
        _fill_arrays(used, pixels, _large_inputs(used, open_source, params), params, temporary)
        if params.format == "pkl":
            _pack(temporary)
    return counts


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder beside `folder`, which takes its place once the block has ended without an error."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".partial-{folder.name}-", dir=folder.parent) as name:
        temporary = Path(name) / "new"
        temporary.mkdir()
        yield temporary
        if folder.exists():
            folder.rename(Path(name) / "old")
        temporary.rename(folder)


def _check_pixels(used: pd.DataFrame, pixels: Path) -> None:
    small = used[used["offset"] >= 0]
    end = (small["offset"] + small["height"] * small["width"] * small["channels"]).max() if len(small) else 0
    try:
        stored = np.load(pixels, mmap_mode="r", allow_pickle=False).shape
    except FileNotFoundError:
        raise InputError(f"{pixels} is missing; run `dvc repro create_dataframe`") from None
    except ValueError as error:
        raise InputError(f"{pixels} cannot be read ({error}); run `dvc repro create_dataframe`") from None
    if len(stored) != 1 or stored[0] < end:
        raise InputError(f"{pixels} does not belong to the table; run `dvc repro create_dataframe`")


def _create_arrays(folder: Path, counts: dict[str, int], params: FeaturesParams) -> None:
    for split, count in counts.items():
        shape = (count, params.size, params.size, params.channels)
        np.lib.format.open_memmap(folder / f"x_{split}.npy", mode="w+", dtype=np.uint8, shape=shape)
        np.lib.format.open_memmap(folder / f"y_{split}.npy", mode="w+", dtype=np.int32, shape=(count,))


def _large_inputs(used: pd.DataFrame, open_source: MakeSource, params: FeaturesParams) -> Iterator[np.ndarray]:
    """Give the pictures that data/pixels.npy does not hold as model inputs, in the table's order."""
    pictures = used.loc[used["offset"] < 0, "picture"].tolist()
    return open_source().images(pictures, _converter(params)) if pictures else iter(())


def _converter(params: FeaturesParams) -> Convert:
    return partial(to_input, size=params.size, color=params.color)


def _fill_arrays(
    used: pd.DataFrame, pixels: Path, large: Iterator[np.ndarray], params: FeaturesParams, folder: Path
) -> None:
    """Write the pictures and labels piece by piece; files stay mapped no longer than their piece takes."""
    filled = dict.fromkeys(SPLITS, 0)
    for start in range(0, len(used), PIECE):
        piece = used.iloc[start : start + PIECE]
        inputs = _inputs(piece, pixels, large, params)
        for split in SPLITS:
            inside = (piece["split"] == split).to_numpy()
            end = filled[split] + int(inside.sum())
            _open(folder, f"x_{split}")[filled[split] : end] = inputs[inside]
            _open(folder, f"y_{split}")[filled[split] : end] = piece["label"].to_numpy()[inside]
            filled[split] = end


def _open(folder: Path, name: str) -> np.ndarray:
    return np.load(folder / f"{name}.npy", mmap_mode="r+", allow_pickle=False)


def _inputs(piece: pd.DataFrame, pixels: Path, large: Iterator[np.ndarray], params: FeaturesParams) -> np.ndarray:
    """Return the pictures of `piece` as uint8 (pictures, size, size, channels)."""
    # A plain view of the mapped file: slicing np.memmap itself costs more than resizing a picture.
    stored = np.asarray(np.load(pixels, mmap_mode="r", allow_pickle=False))
    convert = _converter(params)
    shape = (params.size, params.size, params.channels)
    if _have_shape(piece, shape, len(stored)):
        return stored.reshape(-1, *shape)[piece["offset"].to_numpy() // math.prod(shape)]
    inputs = np.empty((len(piece), *shape), np.uint8)
    columns = (piece[name].tolist() for name in ("offset", "height", "width", "channels"))
    for place, (offset, height, width, channels) in enumerate(zip(*columns, strict=True)):
        if offset < 0:
            inputs[place] = next(large)
        else:
            image = stored[offset : offset + height * width * channels].reshape(height, width, channels)
            inputs[place] = convert(image)
    return inputs


def _have_shape(piece: pd.DataFrame, shape: tuple[int, ...], stored: int) -> bool:
    """Return whether the pictures of `piece` are stored as inputs already, in a row with others of their size."""
    step = math.prod(shape)
    same = (piece[["height", "width", "channels"]].to_numpy() == shape).all()
    return bool(same and (piece["offset"] >= 0).all() and (piece["offset"] % step == 0).all() and stored % step == 0)


def _pack(folder: Path) -> None:
    """Put the arrays in `folder` into one pickle, and remove their own files."""
    # np.asarray, since a pickle of np.memmap would name a class that load_features does not admit.
    arrays = {name: np.asarray(_open(folder, name)) for name in ARRAYS}
    with (folder / PICKLE).open("wb") as file:
        pickle.dump(arrays, file, protocol=5)
    for name in ARRAYS:
        (folder / f"{name}.npy").unlink()


def load_features(folder: Path) -> dict[str, np.ndarray]:
    """Return the arrays in `folder` by name: x_train, y_train, x_val, y_val, x_test and y_test.

    x is uint8 of shape (pictures, size, size, 1 or 3), y int32 of shape (pictures,). Arrays in .npy files stay on
    disk and are read as they are used; features.pkl is read into memory, and cannot run code.

    Raises:
        InputError: files are missing, or hold something else.
    """
    arrays = _unpickle(folder / PICKLE) if (folder / PICKLE).exists() else _load_arrays(folder)
    for name in ARRAYS:
        _check_array(folder, name, arrays.get(name))
    for split in SPLITS:
        pictures, labels = len(arrays[f"x_{split}"]), len(arrays[f"y_{split}"])
        if pictures != labels:
            raise InputError(f"{folder}: x_{split} holds {pictures} pictures, and y_{split} {labels} labels")
    return {name: arrays[name] for name in ARRAYS}


def _load_arrays(folder: Path) -> dict[str, Any]:
    try:
        return {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in ARRAYS}
    except FileNotFoundError as error:
        raise InputError(f"{error.filename} is missing; run `dvc repro extract_features`") from None
    except (ValueError, EOFError) as error:
        raise InputError(f"{folder} cannot be read ({error}); run `dvc repro extract_features`") from None


def _check_array(folder: Path, name: str, array: Any) -> None:
    dtype, dimensions = (np.uint8, 4) if name.startswith("x") else (np.int32, 1)
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != dimensions:
        found = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(
            f"{folder}: {name} is {found}, expected {np.dtype(dtype)} with {dimensions} dimension(s); "
            "run `dvc repro extract_features`"
        )


class _PickledType:
    """Stands for numpy.dtype in a pickle. numpy's own would let a forged state describe memory as what it is not."""

    def __init__(self, name: str, *_: object) -> None:
        if name not in ("u1", "i4"):
            raise pickle.UnpicklingError(f"it holds values of the type {name!r}, and only u1 and i4 are admitted")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] not in ("|", self.dtype.newbyteorder("=").str[0]):
            raise pickle.UnpicklingError(f"its bytes are in the order {state[1]!r}, which is not this machine's")


def _pickled_array(buffer: Any, kind: _PickledType, shape: tuple[int, ...], order: str) -> np.ndarray:
    if order != "C":
        raise pickle.UnpicklingError(f"its values are in the order {order!r}, and only 'C' is admitted")
    return np.frombuffer(buffer, kind.dtype).reshape(shape)


PICKLE_GLOBALS = {
    ("numpy", "dtype"): _PickledType,
    ("numpy._core.numeric", "_frombuffer"): _pickled_array,
    ("numpy.core.numeric", "_frombuffer"): _pickled_array,
}
"""What a pickle of numpy arrays (protocol 5) names, and what is called for it: code of this module alone."""


class _ArrayUnpickler(pickle.Unpickler):
    """Reads numpy arrays in plain containers; whatever else a pickle names is refused, so that none runs code."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) not in PICKLE_GLOBALS:
            raise pickle.UnpicklingError(f"it names {module_name}.{global_name}, and only numpy arrays are admitted")
        return PICKLE_GLOBALS[module_name, global_name]


def _unpickle(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = _ArrayUnpickler(file).load()
    # A pickle that is broken or made to do harm can raise anything.
    except Exception as error:
        raise InputError(f"{path} cannot be read ({error}); run `dvc repro extract_features`") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} holds a {type(content).__name__}, expected a dict of arrays")
    return content
