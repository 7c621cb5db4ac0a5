"""data/pixels.npy: the pixels of small images as they were read, so that nothing is unpacked or decoded twice.

The table's column `offset` names the first byte of each image in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from emotion.core.errors import InputError


@contextmanager
def growing_array(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for uint8 values, and make it a flat .npy array of them at the end of the block."""
    with path.open("wb") as file:
        _write_header(file, 0)
        start = file.tell()
        yield file
        length = file.tell() - start
        file.seek(0)
        # numpy pads the header so that a longer length does not move what stands behind it.
        _write_header(file, length)
        if file.tell() != start:
            raise RuntimeError(f"{path}: the header of a .npy file grew from {start} to {file.tell()} bytes")


def _write_header(file: BinaryIO, length: int) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False, "shape": (length,)}
    np.lib.format.write_array_header_1_0(file, header)


def load_pixels(path: Path) -> np.ndarray:
    """Return the array that `growing_array` wrote, uint8 of shape (bytes,); it stays on disk.

    Raises:
        InputError: it is missing or broken.
    """
    try:
        # A plain view of the mapped file: slicing np.memmap itself costs more than resizing an image.
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except FileNotFoundError:
        raise InputError(f"{path} is missing; run `dvc repro create_dataframe`") from None
    except ValueError as error:
        raise InputError(f"{path} cannot be read ({error}); run `dvc repro create_dataframe`") from None


def check_pixels(path: Path, table: pd.DataFrame) -> None:
    """Raise InputError where the array at `path` does not hold all small images of `table`."""
    small = table[table["offset"] >= 0]
    end = (small["offset"] + small["height"] * small["width"] * small["channels"]).max() if len(small) else 0
    pixels = load_pixels(path)
    if pixels.ndim != 1 or len(pixels) < end:
        raise InputError(f"{path} does not belong to the table; run `dvc repro create_dataframe`")
