"""Functions for the workers of a cluster in tests. Workers import them by the name of this module."""

import errno
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from emotion.core.errors import InputError
from emotion.data.images import read_bytes
from emotion.parallel.batches import map_batches
from emotion.parallel.on_worker import UnreadableOnWorkerError, is_on_worker


def double(batch: Sequence[int]) -> list[int]:
    """Return twice each number."""
    return [2 * number for number in batch]


def double_slowly(batch: Sequence[int]) -> list[int]:
    """Return twice each number, after a while."""
    time.sleep(0.05)
    return double(batch)


def note_run(folder: Path, number: int) -> int:
    """Leave a file for each piece that begins, and take a while."""
    (folder / str(number)).touch()
    time.sleep(0.1)
    return number


def process_of(number: int) -> int:
    """Return the process that does the piece."""
    time.sleep(0.02)
    return os.getpid()


def fail_in(process: int, number: int) -> int:
    """Return the number, unless this is the process with that number."""
    if os.getpid() == process:
        raise ValueError("a fault of this worker")
    return number


def fail_on_50(batch: Sequence[int]) -> list[int]:
    """Return the batch, unless 50 is in it."""
    if 50 in batch:
        raise ZeroDivisionError("50 is not possible")
    return list(batch)


def refuse_50(batch: Sequence[int]) -> list[int]:
    """Return the batch, unless 50 is in it, which the user has to mend."""
    if 50 in batch:
        raise InputError("50 is refused; write 51")
    return list(batch)


def fill_disk_on_50(batch: Sequence[int]) -> list[int]:
    """Return the batch, unless 50 is in it, which has no room on the disk."""
    if 50 in batch:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return list(batch)


held: list[bytes] = []
"""Memory that a worker does not give back."""


def hold_memory(number: int) -> int:
    """Return the number, once Dask has seen that this worker has used as much as 300 MB."""
    held[:] = [b"1" * 300_000_000]
    time.sleep(0.5)
    return number


def end_worker_on_50(batch: Sequence[int]) -> list[int]:
    """Return the batch, unless 50 is in it, which ends the process."""
    if 50 in batch:
        os.kill(os.getpid(), signal.SIGKILL)
    return list(batch)


def length_of(path: str) -> int | str:
    """Return the number of bytes in a file, or the reason why it cannot be read."""
    try:
        return len(read_bytes(path))
    except InputError as error:
        if is_on_worker():
            raise
        return str(error)


def read_where_allowed(address: str) -> str:
    """Return the address on this machine; workers are denied access."""
    if is_on_worker():
        raise UnreadableOnWorkerError(address, "Permission denied")
    return address


def map_inside(numbers: Sequence[int]) -> list[int]:
    """Return twice each number by a map of its own, in which the worker does not ask the cluster again."""
    return [value for batch in map_batches(double, [[number] for number in numbers]) for value in batch]


def fill_memory(batch: Sequence[int]) -> list[int]:
    """Take more and more memory, up to 4 GiB, where 50 is in the batch."""
    if 50 in batch:
        held = []
        for _ in range(64):
            held.append(os.urandom(2**26))
            time.sleep(0.05)
    return list(batch)
