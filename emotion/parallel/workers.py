"""Reading batches of a source in several processes at once, where that is safe and worth it."""

import multiprocessing
import os
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import TypeVar

from emotion.parallel.cores import available_cores

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_WORKERS = 8
FEWEST_BATCHES = 8
"""With fewer batches than this, starting processes costs more than it gains."""

NOT_WITH = ("tensorflow", "jax", "torch")
"""Packages whose threads hold locks that a forked process would wait on for ever."""


def map_batches(function: Callable[[Item], Result], batches: Sequence[Item]) -> Iterator[Result]:
    """Give `function(batch)` for every batch, in order, whatever the number of processes.

    Only a few results wait at a time, however slowly they are taken. The processes start at the call, not at the
    first result, so that a progress bar's thread is not yet running when they are forked.
    """
    workers = _workers(len(batches))
    if workers < 2:
        return map(function, batches)
    executor = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork"))
    rest = iter(batches)
    with warnings.catch_warnings():
        # Python 3.12 warns of a fork beside any thread, and numpy's (idle) ones always run.
        warnings.simplefilter("ignore", DeprecationWarning)
        waiting = deque(executor.submit(function, batch) for batch in islice(rest, 3 * workers))
    return _in_order(executor, function, waiting, rest)


def _in_order(
    executor: ProcessPoolExecutor,
    function: Callable[[Item], Result],
    waiting: "deque[Future[Result]]",
    rest: Iterator[Item],
) -> Iterator[Result]:
    try:
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(executor.submit(function, batch) for batch in islice(rest, 1))
            yield result
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _workers(batches: int) -> int:
    """Return the number of processes to read with; 1 where that must be this process."""
    can_fork = hasattr(os, "fork") and sys.platform.startswith("linux")
    in_a_worker = multiprocessing.current_process().daemon
    if batches < FEWEST_BATCHES or not can_fork or in_a_worker or any(name in sys.modules for name in NOT_WITH):
        return 1
    return min(MAX_WORKERS, available_cores())
