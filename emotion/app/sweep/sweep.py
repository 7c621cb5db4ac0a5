"""Experiments as tasks of a cluster: one at a time on each worker, and each once more elsewhere where it fails."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emotion.app.sweep.job import Job, Outcome
from emotion.app.sweep.on_worker import run_experiment
from emotion.parallel.cluster import (
    NOTICE_SECONDS,
    UNKNOWN,
    ClusterError,
    cancel,
    find_workers,
    naming_lost_scheduler,
    read_result,
)
from emotion.parallel.piece import RUN_PACKED, PieceFailure, WrongEnvironmentError, make_packer

if TYPE_CHECKING:
    from distributed import Client, Future

POLL_SECONDS = 2
"""Time after which the workers are looked at again, when no experiment has ended."""

Result = tuple[Job, Outcome | PieceFailure]


@dataclass
class _Try:
    """An experiment that waits or runs; `failed_on` is the worker of a first try."""

    job: Job
    worker: str = ""
    failed_on: str | None = None


class Sweep:
    """The experiments of one sweep.

    Args:
        client: the client of the scheduler.
        address: the scheduler, for messages.
        jobs: the experiments.
        tell: is called with a line for the user.
        run: runs one experiment, on a worker.
    """

    def __init__(
        self,
        client: "Client",
        address: str,
        jobs: Sequence[Job],
        tell: Callable[[str], None],
        run: Callable[[Job], Outcome] = run_experiment,
    ) -> None:
        self._client, self._address, self._tell = client, address, tell
        self._waiting = deque(_Try(job) for job in jobs)
        self._running: dict[Future[Any], _Try] = {}
        self._unusable: dict[str, str] = {}
        self._pack = make_packer(run)
        self._seen, self._is_told = time.monotonic(), False

    def results(self) -> Iterator[Result]:
        """Yield each experiment as it ends, with its outcome or its last failure; cancel the rest at the end.

        Raises:
            ClusterError: the scheduler is lost, or no worker can be used.
        """
        try:
            while self._waiting or self._running:
                yield from self._do_round()
        finally:
            cancel(self._client, list(self._running))

    def _do_round(self) -> Sequence[Result]:
        """Give work to idle workers, and return what ended since."""
        with naming_lost_scheduler(self._address):
            self._submit_to_idle_workers()
            ended = [result for future in self._wait() for result in self._settle(future)]
        with suppress(ClusterError), naming_lost_scheduler(self._address):  # it comes again in the next round
            self._submit_to_idle_workers()  # before the caller takes its time with the results
        return ended

    def _submit_to_idle_workers(self) -> None:
        workers = find_workers(self._client)
        usable = sorted(set(workers) - set(self._unusable))
        if workers and not usable:
            worker, reason = next(iter(self._unusable.items()))
            raise ClusterError(f"no worker at {self._address} can be used; {worker}: {reason}")
        self._notice(bool(workers))
        for worker in usable:
            if worker not in self._busy():
                self._submit(worker, alone=len(usable) == 1)

    def _notice(self, has_workers: bool) -> None:
        """Tell the user once where no worker is there for a while, at the start or later."""
        if has_workers:
            self._seen, self._is_told = time.monotonic(), False
        elif not self._is_told and time.monotonic() - self._seen > NOTICE_SECONDS:
            self._tell(f"waiting: no worker is connected to {self._address}")
            self._is_told = True

    def _busy(self) -> set[str]:
        """Return the workers with an experiment: those that got one, and those that took one of a lost worker."""
        keys = {future.key for future in self._running}
        taken = {worker for worker, held in self._client.processing().items() if keys & set(held)}
        return taken | {one.worker for one in self._running.values()}

    def _submit(self, worker: str, *, alone: bool) -> None:
        """Give a worker the first experiment that did not fail there; one that did only where no other worker is."""
        for one in list(self._waiting):
            if alone or one.failed_on != worker:
                self._waiting.remove(one)
                one.worker = worker
                key = f"{one.job.experiment.name}-{time.time_ns()}"
                future = self._client.submit(
                    RUN_PACKED,
                    self._pack(one.job),
                    key=key,
                    pure=False,
                    workers=[worker],
                    allow_other_workers=True,
                )
                self._running[future] = one
                return

    def _wait(self) -> Sequence["Future[Any]"]:
        from distributed import wait

        if not self._running:
            time.sleep(POLL_SECONDS)
            return ()
        try:
            with self._client.as_current():
                return tuple(wait(list(self._running), timeout=POLL_SECONDS, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            return ()

    def _settle(self, future: "Future[Any]") -> Iterator[Result]:
        """Yield the result of a try that ended, unless another try follows."""
        one = self._running.pop(future)
        try:
            yield one.job, read_result(future)
        except PieceFailure as failure:
            yield from self._settle_failure(one, failure)

    def _settle_failure(self, one: _Try, failure: PieceFailure) -> Iterator[Result]:
        if isinstance(failure.error, WrongEnvironmentError):
            if failure.worker == UNKNOWN:
                raise ClusterError(f"the cluster at {self._address} cannot be used: {failure.error}")
            self._unusable[failure.worker] = str(failure.error)
            self._tell(f"the worker {failure.worker} gets no more experiments: {failure.error}")
            self._waiting.appendleft(one)
        elif one.failed_on is None:
            one.failed_on = failure.worker
            self._tell(f"{one.job.experiment.name}: failed on {failure.worker}, and is tried once more")
            self._waiting.append(one)
        else:
            yield one.job, failure
