"""The table and its images -> arrays for training."""

import math
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from emotion.core.errors import InputError
from emotion.core.files import atomic_folder
from emotion.core.params import FeaturesParams
from emotion.data.feature_arrays import ARRAYS, PICKLE, VOTES
from emotion.data.images import to_input
from emotion.data.table import SPLITS, parse_votes
from emotion.data.table import VOTES as VOTES_COLUMN
from emotion.ingest.sources.contents import Convert, Source

BATCH = 2048
"""Images between which nothing is kept in memory."""

MakeSource = Callable[[], Source]


def extract(
    table: pd.DataFrame, pixels: Path, open_source: MakeSource, params: FeaturesParams, folder: Path
) -> dict[str, int]:
    """Write the images of `table` that are used to `folder` as arrays; return how many there are by split.

    The folder holds {x,y}_{train,val,test}.npy, or features.pkl with a dict of the same arrays: x uint8 of shape
    (images, size, size, channels), y int32 of shape (images,), in the order of the table. Where the table has
    votes, votes_train is uint8 of shape (training images, classes). The folder is replaced as a whole at the end.

    Args:
        table: as emotion.data.table.read_table returns it.
        pixels: the file that the column `offset` points into.
        open_source: called only where images must be read from the source again.
        params: image_size, color and format of the arrays.
        folder: it and what it holds are replaced.

    Raises:
        InputError: the table and the pixels do not belong together, or an image cannot be read any more.
    """
    used = table[table["excluded"] == ""]
    _check_pixels(used, pixels)
    with atomic_folder(folder) as temporary:
        counts = {split: int((used["split"] == split).sum()) for split in SPLITS}
        _create_arrays(temporary, counts, params)
        _fill_arrays(used, pixels, _large_inputs(used, open_source, params), params, temporary)
        if VOTES_COLUMN in used:
            np.save(temporary / f"{VOTES}.npy", parse_votes(used.loc[used["split"] == "train", VOTES_COLUMN]))
        if params.format == "pkl":
            _pack(temporary)
    return counts


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
        shape = (count, params.image_size, params.image_size, params.channels)
        np.lib.format.open_memmap(folder / f"x_{split}.npy", mode="w+", dtype=np.uint8, shape=shape)
        np.lib.format.open_memmap(folder / f"y_{split}.npy", mode="w+", dtype=np.int32, shape=(count,))


def _large_inputs(used: pd.DataFrame, open_source: MakeSource, params: FeaturesParams) -> Iterator[np.ndarray]:
    """Give the images that data/pixels.npy does not hold as model inputs, in the table's order."""
    names = used.loc[used["offset"] < 0, "image"].tolist()
    return open_source().read_again(names, _converter(params)) if names else iter(())


def _converter(params: FeaturesParams) -> Convert:
    return partial(to_input, size=params.image_size, color=params.color)


def _fill_arrays(
    used: pd.DataFrame, pixels: Path, large: Iterator[np.ndarray], params: FeaturesParams, folder: Path
) -> None:
    """Write the images and labels batch by batch; files stay mapped no longer than their batch takes."""
    filled = dict.fromkeys(SPLITS, 0)
    for start in range(0, len(used), BATCH):
        batch = used.iloc[start : start + BATCH]
        inputs = _inputs(batch, pixels, large, params)
        for split in SPLITS:
            inside = (batch["split"] == split).to_numpy()
            end = filled[split] + int(inside.sum())
            _open(folder, f"x_{split}")[filled[split] : end] = inputs[inside]
            _open(folder, f"y_{split}")[filled[split] : end] = batch["label"].to_numpy()[inside]
            filled[split] = end


def _open(folder: Path, name: str) -> np.ndarray:
    return np.load(folder / f"{name}.npy", mmap_mode="r+", allow_pickle=False)


def _inputs(batch: pd.DataFrame, pixels: Path, large: Iterator[np.ndarray], params: FeaturesParams) -> np.ndarray:
    """Return the images of `batch` as uint8 (images, size, size, channels)."""
    # A plain view of the mapped file: slicing np.memmap itself costs more than resizing an image.
    stored = np.asarray(np.load(pixels, mmap_mode="r", allow_pickle=False))
    convert = _converter(params)
    shape = (params.image_size, params.image_size, params.channels)
    if _have_shape(batch, shape, len(stored)):
        return stored.reshape(-1, *shape)[batch["offset"].to_numpy() // math.prod(shape)]
    inputs = np.empty((len(batch), *shape), np.uint8)
    columns = (batch[name].tolist() for name in ("offset", "height", "width", "channels"))
    for place, (offset, height, width, channels) in enumerate(zip(*columns, strict=True)):
        if offset < 0:
            inputs[place] = next(large)
        else:
            image = stored[offset : offset + height * width * channels].reshape(height, width, channels)
            inputs[place] = convert(image)
    return inputs


def _have_shape(batch: pd.DataFrame, shape: tuple[int, ...], stored: int) -> bool:
    """Return whether the images of `batch` are stored as inputs already, in a row with others of their size."""
    step = math.prod(shape)
    same = (batch[["height", "width", "channels"]].to_numpy() == shape).all()
    return bool(same and (batch["offset"] >= 0).all() and (batch["offset"] % step == 0).all() and stored % step == 0)


def _pack(folder: Path) -> None:
    """Put the arrays in `folder` into one pickle, and remove their own files."""
    # np.asarray, since a pickle of np.memmap would name a class that load_features does not admit.
    names = [*ARRAYS, VOTES] if (folder / f"{VOTES}.npy").exists() else ARRAYS
    arrays = {name: np.asarray(_open(folder, name)) for name in names}
    with (folder / PICKLE).open("wb") as file:
        pickle.dump(arrays, file, protocol=5)
    for name in names:
        (folder / f"{name}.npy").unlink()
