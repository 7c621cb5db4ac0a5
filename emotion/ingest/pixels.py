"""data/pixels.npy: the pixels of small images as they were read, so that nothing is unpacked or decoded twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np


@contextmanager
def growing_array(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write uint8 values to, and make `path` a flat .npy array of them at the end of the block."""
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
