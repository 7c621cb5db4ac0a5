"""A function mapped over batches, in several processes where that is safe and saves time."""

import multiprocessing
import os
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import chain, islice
from typing import TypeVar

from emotion.parallel.cores import available_cores
from emotion.parallel.parent import end_with_parent

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_WORKERS = 8

FEWEST_BATCHES = 8
"""With fewer batches than this, the start of processes costs more time than they save."""

WAITING_PER_WORKER = 3
"""Batches that are read ahead for each process. Few keep memory small, and none would leave processes idle."""

NOT_WITH = ("tensorflow", "jax", "torch")
"""Packages whose threads hold locks. A forked process would wait for these locks for ever."""


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Return an iterator over lists of `size` items; the last one may be shorter."""
    rest = iter(items)
    return iter(lambda: list(islice(rest, size)), [])


def map_batches(function: Callable[[Item], Result], batches: Iterable[Item]) -> Iterator[Result]:
    """Return an iterator over `function(batch)` for every batch, in order.

    Batches are read one by one. Only a few batches and results are in memory at a time, even where the caller takes
    the results slowly. The processes start at the call and not at the first result, so that they are forked before
    the thread of a progress bar runs.

    Args:
        function: it and its results must be picklable.
        batches: each batch must be picklable. Errors of the iterator are raised by this call or by the result.
    """
    rest = iter(batches)
    first = list(islice(rest, FEWEST_BATCHES))
    workers = _count_workers(len(first))
    if workers < 2:
        return map(function, chain(first, rest))
    return _map_in_processes(function, chain(first, rest), workers)


def _map_in_processes(function: Callable[[Item], Result], batches: Iterator[Item], workers: int) -> Iterator[Result]:
    executor = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("fork"), initializer=end_with_parent, initargs=(os.getpid(),)
    )
    with warnings.catch_warnings(), _without_threads():
        # Python 3.12 warns of a fork in a process with threads. NumPy's threads always run, but are idle here.
        warnings.simplefilter("ignore", DeprecationWarning)
        waiting = deque(executor.submit(function, batch) for batch in islice(batches, WAITING_PER_WORKER * workers))
    return _results_in_order(executor, function, waiting, batches)


@contextmanager
def _without_threads() -> Iterator[None]:
    """Keep OpenCV in one thread, so that the processes that start in the block inherit that.

    A fork does not take threads along, and there is a process for each core.
    """
    opencv = sys.modules.get("cv2")
    if opencv is None:
        yield
        return
    before = opencv.getNumThreads()
    opencv.setNumThreads(1)
    try:
        yield
    finally:
        opencv.setNumThreads(before)


def _results_in_order(
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


def _count_workers(batches: int) -> int:
    """Return the number of processes for at least `batches` batches; 1 means that this process does the work."""
    can_fork = hasattr(os, "fork") and sys.platform.startswith("linux")
    in_a_worker = multiprocessing.current_process().daemon
    if batches < FEWEST_BATCHES or not can_fork or in_a_worker or any(name in sys.modules for name in NOT_WITH):
        return 1
    return min(MAX_WORKERS, available_cores())
