"""A function mapped over batches: on a cluster where one is named, else in processes where that saves time."""

import multiprocessing
import os
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from typing import TypeVar

from emotion.parallel.address import scheduler_address
from emotion.parallel.cores import available_cores
from emotion.parallel.on_worker import is_on_worker
from emotion.parallel.parent import end_with_parent
from emotion.parallel.single_thread import single_threaded_opencv

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


def batched_by_weight(
    items: Iterable[Item], size: int, weigh: Callable[[Item], int], most: int
) -> Iterator[list[Item]]:
    """Yield lists of at most `size` items. A list also ends where its items weigh `most` or more together."""
    batch: list[Item] = []
    weight = 0
    for item in items:
        batch.append(item)
        weight += weigh(item)
        if len(batch) == size or weight >= most:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def map_batches(
    function: Callable[[Item], Result], batches: Iterable[Item], *, name: Callable[[Item], str] | None = None
) -> Iterator[Result]:
    """Return an iterator over `function(batch)` for every batch, in order.

    Batches are read one by one. Only a few batches and results are in memory at a time, even where the caller takes
    the results slowly. The processes start at the call and not at the first result, so that they are forked before
    the thread of a progress bar runs.

    Args:
        function: it and its results must be picklable.
        batches: each batch must be picklable. Errors of the iterator are raised by this call or by the result.
        name: returns what a message calls a batch that failed on the cluster; by default its number.

    Raises:
        ClusterError: the cluster cannot be used.
    """
    address = scheduler_address()
    if address and not is_on_worker():
        from emotion.parallel.cluster import map_on_cluster

        return map_on_cluster(address, function, batches, name=name)
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
    with warnings.catch_warnings(), single_threaded_opencv():
        # Python 3.12 warns of a fork in a process with threads. NumPy's threads always run, but are idle here.
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
    """Return the number of processes for at least `batches` batches; 1 means that this process does the work."""
    can_fork = hasattr(os, "fork") and sys.platform.startswith("linux")
    in_a_worker = multiprocessing.current_process().daemon
    if batches < FEWEST_BATCHES or not can_fork or in_a_worker or any(name in sys.modules for name in NOT_WITH):
        return 1
    return min(MAX_WORKERS, available_cores())
