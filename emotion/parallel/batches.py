"""A function mapped over batches, in several processes at once where that is safe and worth it."""

import multiprocessing
import os
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from typing import TypeVar

from emotion.parallel.cores import available_cores

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_WORKERS = 8

FEWEST_BATCHES = 8
"""With fewer batches than this, starting processes costs more than it gains."""

WAITING_PER_WORKER = 3
"""Batches that are read ahead for each process, so that memory stays small and no process is idle."""

NOT_WITH = ("tensorflow", "jax", "torch")
"""Packages whose threads hold locks that a forked process would wait on for ever."""


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Return an iterator over lists of `size` items; the last one may be shorter."""
    rest = iter(items)
    return iter(lambda: list(islice(rest, size)), [])


def map_batches(function: Callable[[Item], Result], batches: Iterable[Item]) -> Iterator[Result]:
    """Return an iterator over `function(batch)` for every batch, in order, whatever the number of processes.

    Batches are read one by one, and only a few of them and of the results are in memory, however slowly the results
    are taken. The processes start at the call, not at the first result, so that a progress bar's thread is not yet
    running when they are forked.

    Args:
        function: can be pickled, as can its results.
        batches: each can be pickled. Errors of the iterator are raised by the result or by this call.
    """
    rest = iter(batches)
    first = list(islice(rest, FEWEST_BATCHES))
    workers = _count_workers(len(first))
    if workers < 2:
        return map(function, chain(first, rest))
    return _map_in_processes(function, chain(first, rest), workers)


def _map_in_processes(function: Callable[[Item], Result], batches: Iterator[Item], workers: int) -> Iterator[Result]:
    executor = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork"))
    with warnings.catch_warnings():
        # Python 3.12 warns of a fork beside any thread, and numpy's (idle) ones always run.
        warnings.simplefilter("ignore", DeprecationWarning)
        waiting = deque(executor.submit(function, batch) for batch in islice(batches, WAITING_PER_WORKER * workers))
    return _results_in_order(executor, function, waiting, batches)


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
    """Return the number of processes for at least so many batches; 1 where that must be this process."""
    can_fork = hasattr(os, "fork") and sys.platform.startswith("linux")
    in_a_worker = multiprocessing.current_process().daemon
    if batches < FEWEST_BATCHES or not can_fork or in_a_worker or any(name in sys.modules for name in NOT_WITH):
        return 1
    return min(MAX_WORKERS, available_cores())
