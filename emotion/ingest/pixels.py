"""The file data/pixels.npy: the decoded pixels of small images, so that nothing is unpacked or decoded twice.

The column `offset` of the table is the position of the first byte of each image.
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
        # NumPy pads the header, so a longer length does not move the data behind it.
        _write_header(file, length)
        if file.tell() != start:
            raise RuntimeError(f"{path}: the header of a .npy file grew from {start} to {file.tell()} bytes")


def _write_header(file: BinaryIO, length: int) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False, "shape": (length,)}
    np.lib.format.write_array_header_1_0(file, header)


def load_pixels(path: Path) -> np.ndarray:
    """Return the array that `growing_array` wrote, uint8 of shape (bytes,). It stays on disk.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        # A plain view, since a slice of np.memmap takes more time than the resizing of an image.
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except FileNotFoundError:
        raise InputError(f"{path} is missing; run `dvc repro create_dataframe`") from None
    except (ValueError, EOFError) as error:
        raise InputError(f"{path} cannot be read ({error}); run `dvc repro create_dataframe`") from None


def check_pixels(path: Path, table: pd.DataFrame) -> None:
    """Raise InputError where the array at `path` does not hold all small images of `table`."""
    small = table[table["offset"] >= 0]
    end = (small["offset"] + small["height"] * small["width"] * small["channels"]).max() if len(small) else 0
    pixels = load_pixels(path)
    if pixels.ndim != 1 or len(pixels) < end:
        raise InputError(
            f"{path} does not have all images of the table, so it was made for another table; "
            "run `dvc repro create_dataframe`"
        )
