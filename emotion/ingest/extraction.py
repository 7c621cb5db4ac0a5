"""Writing the images of the table as arrays of one size and color, for training."""

import math
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from emotion.core.files import atomic_folder
from emotion.core.params import FeaturesParams
from emotion.data.feature_arrays import ARRAYS, PICKLE, VOTES
from emotion.data.images import to_input
from emotion.data.table import SPLITS, VOTES_COLUMN
from emotion.faces.crop import crop_face
from emotion.ingest.column_values import has_values
from emotion.ingest.ferplus import parse_votes
from emotion.ingest.photos.face_columns import parse_box, parse_column, parse_face
from emotion.ingest.photos.face_search import cut_box
from emotion.ingest.pixels import check_pixels, load_pixels
from emotion.ingest.sources.source import Convert, Place, Source

BATCH_IN_MEMORY = 2048
"""Images that are in memory at a time."""

OpenSource = Callable[[], Source]


def extract(
    table: pd.DataFrame,
    pixels: Path,
    open_source: OpenSource,
    params: FeaturesParams,
    folder: Path,
    margin: float = 0.0,
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
        margin: added to the faces that were found, on each side, as a share of the box. Other images get none.

    Raises:
        InputError: the pixels belong to another table, or an image can no longer be read.
    """
    used = table[table["excluded"] == ""]
    check_pixels(pixels, used)
    with atomic_folder(folder) as temporary:
        counts = {split: int((used["split"] == split).sum()) for split in SPLITS}
        _create_arrays(temporary, counts, params)
        convert = partial(make_input, size=params.image_size, color=params.color, margin=margin)
        _fill_arrays(used, pixels, _read_large(used, open_source, convert), convert, params, temporary)
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


def make_input(image: np.ndarray, place: Place, *, size: int, color: str, margin: float) -> np.ndarray:
    """Return the input of a model, uint8 (size, size, channels), from an image and the part of it that is used.

    Args:
        image: uint8 (height, width, 1 or 3).
        place: its face is cut out with `margin`, as `emotion predict` does. Where it has none, its box is cut out
            without. Where it has neither, the whole image is taken.
        size: height and width of the input in pixels.
        color: `grayscale` or `rgb`.
        margin: as in `crop_face`.
    """
    if place.face is not None:
        return crop_face(image, place.face, margin, size, color)
    return to_input(image if place.box is None else cut_box(image, place.box), size, color)


def _read_large(used: pd.DataFrame, open_source: OpenSource, convert: Convert) -> Iterator[np.ndarray]:
    """Return an iterator over the images that data/pixels.npy does not hold, as inputs, in the table's order.

    On a terminal, a progress bar is shown.
    """
    large = used[used["offset"] < 0]
    if large.empty:
        return iter(())
    boxes, faces = parse_column(large, "box", parse_box), parse_column(large, "face", parse_face)
    places = [Place(*values) for values in zip(large["image"], boxes, faces, strict=True)]
    inputs = open_source().read_again(places, convert)
    return iter(tqdm(inputs, total=len(places), unit=" images", disable=None))


def _fill_arrays(
    used: pd.DataFrame,
    pixels: Path,
    large: Iterator[np.ndarray],
    convert: Convert,
    params: FeaturesParams,
    folder: Path,
) -> None:
    """Write the images and labels batch by batch, and map the files for one batch at a time."""
    filled = dict.fromkeys(SPLITS, 0)
    for start in range(0, len(used), BATCH_IN_MEMORY):
        batch = used.iloc[start : start + BATCH_IN_MEMORY]
        inputs = _make_inputs(batch, pixels, large, convert, params)
        for split in SPLITS:
            inside = (batch["split"] == split).to_numpy()
            end = filled[split] + int(inside.sum())
            _open_array(folder, f"x_{split}")[filled[split] : end] = inputs[inside]
            _open_array(folder, f"y_{split}")[filled[split] : end] = batch["label"].to_numpy()[inside]
            filled[split] = end


def _open_array(folder: Path, name: str) -> np.ndarray:
    array: np.ndarray = np.load(folder / f"{name}.npy", mmap_mode="r+", allow_pickle=False)
    return array


def _make_inputs(
    batch: pd.DataFrame, pixels: Path, large: Iterator[np.ndarray], convert: Convert, params: FeaturesParams
) -> np.ndarray:
    """Return the images of `batch` as uint8 (images, size, size, channels)."""
    stored = load_pixels(pixels)
    shape = (params.image_size, params.image_size, params.channels)
    if _are_inputs(batch, shape, len(stored)):
        same: np.ndarray = stored.reshape(-1, *shape)[batch["offset"].to_numpy() // math.prod(shape)]
        return same
    inputs = np.empty((len(batch), *shape), np.uint8)
    columns = [batch[name].tolist() for name in ("image", "offset", "height", "width", "channels")]
    faces = parse_column(batch, "face", parse_face)
    for row, (name, offset, height, width, channels, face) in enumerate(zip(*columns, faces, strict=True)):
        if offset < 0:
            inputs[row] = next(large)
        else:
            # Of an image with a box, the stored pixels are those of the square around it.
            image = stored[offset : offset + height * width * channels].reshape(height, width, channels)
            inputs[row] = convert(image, Place(name, None, face))
    return inputs


def _are_inputs(batch: pd.DataFrame, shape: tuple[int, ...], stored: int) -> bool:
    """Return whether all stored images, and so those of `batch`, already have the shape of an input."""
    step = math.prod(shape)
    same = (batch[["height", "width", "channels"]].to_numpy() == shape).all() and not has_values(batch, "face")
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
