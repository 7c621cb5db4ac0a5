"""Writing the images of the table as arrays of one size and color, for training."""

import math
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from emotion.core.files import atomic_folder
from emotion.core.params import FeaturesParams
from emotion.data.feature_arrays import ARRAYS, PICKLE, VOTES
from emotion.data.images import to_input
from emotion.data.table import SPLITS, VOTES_COLUMN
from emotion.ingest.ferplus import parse_votes
from emotion.ingest.pixels import check_pixels, load_pixels
from emotion.ingest.sources.source import Place, Source

BATCH_IN_MEMORY = 2048
"""Images that are in memory at a time."""

OpenSource = Callable[[], Source]


def extract(
    table: pd.DataFrame, pixels: Path, open_source: OpenSource, params: FeaturesParams, folder: Path
) -> dict[str, int]:
    """Write the used images of `table` to `folder` as arrays; return the number of images by split.

    The folder holds {x,y}_{train,val,test}.npy, or features.pkl with a dict of the same arrays. Their order is that of
    the table. x is uint8 of shape (images, size, size, channels), y is int32 of shape (images,). Where the table has
    votes, votes_train is uint8 of shape (training images, classes). The folder is replaced as a whole at the end.

    Args:
        table: as emotion.data.table.read_table returns it.
        pixels: the file that emotion.ingest.pixels describes.
        open_source: opens the source. It is called only where large images must be read again.
        params: image_size, color and format of the arrays.
        folder: the target; everything in it is replaced.

    Raises:
        InputError: the pixels belong to another table, or an image can no longer be read.
    """
    used = table[table["excluded"] == ""]
    check_pixels(pixels, used)
    with atomic_folder(folder) as temporary:
        counts = {split: int((used["split"] == split).sum()) for split in SPLITS}
        _create_arrays(temporary, counts, params)
        _fill_arrays(used, pixels, _read_large(used, open_source, params), params, temporary)
        if VOTES_COLUMN in used:
            np.save(temporary / f"{VOTES}.npy", parse_votes(used.loc[used["split"] == "train", VOTES_COLUMN]))
        if params.format == "pkl":
            _pack(temporary)
    return counts


def _create_arrays(folder: Path, counts: dict[str, int], params: FeaturesParams) -> None:
    for split, count in counts.items():
        shape = (count, params.image_size, params.image_size, params.channels)
        np.lib.format.open_memmap(folder / f"x_{split}.npy", mode="w+", dtype=np.uint8, shape=shape)
        np.lib.format.open_memmap(folder / f"y_{split}.npy", mode="w+", dtype=np.int32, shape=(count,))


def _read_large(used: pd.DataFrame, open_source: OpenSource, params: FeaturesParams) -> Iterator[np.ndarray]:
    """Return an iterator over the images that data/pixels.npy does not hold, as inputs, in the table's order."""
    places = [Place(name) for name in used.loc[used["offset"] < 0, "image"]]
    return open_source().read_again(places, partial(_convert, params=params)) if places else iter(())


def _convert(image: np.ndarray, place: Place, params: FeaturesParams) -> np.ndarray:
    return to_input(image, params.image_size, params.color)


def _fill_arrays(
    used: pd.DataFrame, pixels: Path, large: Iterator[np.ndarray], params: FeaturesParams, folder: Path
) -> None:
    """Write the images and labels batch by batch, and map the files for one batch at a time."""
    filled = dict.fromkeys(SPLITS, 0)
    for start in range(0, len(used), BATCH_IN_MEMORY):
        batch = used.iloc[start : start + BATCH_IN_MEMORY]
        inputs = _make_inputs(batch, pixels, large, params)
        for split in SPLITS:
            inside = (batch["split"] == split).to_numpy()
            end = filled[split] + int(inside.sum())
            _open_array(folder, f"x_{split}")[filled[split] : end] = inputs[inside]
            _open_array(folder, f"y_{split}")[filled[split] : end] = batch["label"].to_numpy()[inside]
            filled[split] = end


def _open_array(folder: Path, name: str) -> np.ndarray:
    array: np.ndarray = np.load(folder / f"{name}.npy", mmap_mode="r+", allow_pickle=False)
    return array


def _make_inputs(batch: pd.DataFrame, pixels: Path, large: Iterator[np.ndarray], params: FeaturesParams) -> np.ndarray:
    """Return the images of `batch` as uint8 (images, size, size, channels)."""
    stored = load_pixels(pixels)
    shape = (params.image_size, params.image_size, params.channels)
    if _are_inputs(batch, shape, len(stored)):
        same: np.ndarray = stored.reshape(-1, *shape)[batch["offset"].to_numpy() // math.prod(shape)]
        return same
    inputs = np.empty((len(batch), *shape), np.uint8)
    columns = (batch[name].tolist() for name in ("offset", "height", "width", "channels"))
    for place, (offset, height, width, channels) in enumerate(zip(*columns, strict=True)):
        if offset < 0:
            inputs[place] = next(large)
        else:
            image = stored[offset : offset + height * width * channels].reshape(height, width, channels)
            inputs[place] = to_input(image, params.image_size, params.color)
    return inputs


def _are_inputs(batch: pd.DataFrame, shape: tuple[int, ...], stored: int) -> bool:
    """Return whether all stored images, and so those of `batch`, already have the shape of an input."""
    step = math.prod(shape)
    same = (batch[["height", "width", "channels"]].to_numpy() == shape).all()
    return bool(same and (batch["offset"] >= 0).all() and (batch["offset"] % step == 0).all() and stored % step == 0)


def _pack(folder: Path) -> None:
    """Put the arrays in `folder` into one pickle, and remove their own files."""
    # A pickle of np.memmap would name a class that load_features refuses, hence np.asarray.
    names = [*ARRAYS, VOTES] if (folder / f"{VOTES}.npy").exists() else ARRAYS
    arrays = {name: np.asarray(_open_array(folder, name)) for name in names}
    with (folder / PICKLE).open("wb") as file:
        pickle.dump(arrays, file, protocol=5)
    for name in names:
        (folder / f"{name}.npy").unlink()
