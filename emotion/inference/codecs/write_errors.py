"""Errors of videos that cannot be written."""

import errno
import os
import shutil
from pathlib import Path

from emotion.core.errors import InputError
from emotion.inference.codecs.encoder import CODECS

MIN_FREE_BYTES = 2**20
"""A disk with fewer free bytes counts as full."""


def check_free_space(path: Path) -> None:
    """Raise OSError if the disk of a file is full."""
    if shutil.disk_usage(path.parent).free < MIN_FREE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def cannot_write(path: Path, size: tuple[int, int]) -> InputError:
    """Return the error of a file of frames of a height and width that cannot be begun."""
    height, width = size
    return InputError(
        f"a video of {width}x{height} pixels cannot be written to {path}; check that you may write to its folder, or "
        f"name a file with another suffix: {', '.join(CODECS)}"
    )


def incomplete(path: Path, problem: str) -> InputError:
    """Return the error of a file that does not hold all frames, though the disk is not full."""
    return InputError(
        f"{path} is incomplete: {problem}; raise the quota or the limit on the size of files, or write to another disk"
    )
