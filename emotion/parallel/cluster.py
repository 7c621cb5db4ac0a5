"""A function mapped over pieces of work on a Dask cluster: in order, with few pieces in memory at a time.

Dask finds the workers, sends the pieces and gives those of a lost worker to another one. This module bounds what is
under way, tries a piece that fails once more elsewhere, and turns Dask's errors into sentences.
"""

import asyncio
import logging
import re
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tqdm import tqdm

from emotion.core.errors import InputError, first_line
from emotion.core.stores import hide_secrets, is_store_address, parse_address, read_store
from emotion.parallel.address import DASK_CONFIGURATION, SCHEDULER
from emotion.parallel.on_worker import UnreadableOnWorkerError
from emotion.parallel.piece import RUN_PACKED, PieceFailure, WrongEnvironmentError, make_packer

if TYPE_CHECKING:
    from distributed import Client, Future

Item = TypeVar("Item")
Result = TypeVar("Result")

INSTALL = "pip install 'facial-emotion-pipeline[cluster]'"

CONNECTING_SECONDS = 8
"""Time in which the scheduler has to answer, and then the workers."""

REFRESH_SECONDS = 2
"""Time after which the workers are counted again."""

NOTICE_SECONDS = 10
"""Time without a result after which the user is told of workers that do not work."""

WAITING_PER_THREAD = 3
"""Pieces under way for each thread of a worker. Few keep memory small, and none would leave workers idle."""

SAME_EVERYWHERE = {"python": 2, "dask": 3, "distributed": 3}
"""Packages by which the machines of a cluster understand each other, and the numbers of a version that count."""

UNKNOWN = "an unknown worker"
"""The name in a failure whose worker Dask does not tell."""

KILLED = (
    "each worker that took it ended, perhaps for want of memory; give workers more memory (`dask worker "
    "--memory-limit`) or fewer threads"
)


class ClusterError(InputError):
    """The cluster cannot be used, or lost a piece of work. The message names the address and the piece."""


class KilledWorkersError(Exception):
    """A piece ended one worker after the other, or waited on workers that another piece ended."""


Workers = dict[str, dict[str, Any]]
"""The scheduler's record of each worker, by its address."""

Recover = Callable[[Any, ClusterError], Any]
"""Returns the result in place of a piece that ended its workers, or raises the error."""


def raise_error(piece: object, error: ClusterError) -> Any:
    """Raise `error`: the work cannot go on without the piece."""
    raise error


def map_on_cluster(
    address: str,
    function: Callable[[Item], Result],
    pieces: Iterable[Item],
    *,
    name: Callable[[Item], str] | None = None,
    recover: Recover = raise_error,
) -> Generator[Result, None, None]:
    """Return an iterator over `function(piece)` for every piece, in order.

    The scheduler is asked at the call. Pieces under way are canceled where the iterator is closed.

    Args:
        address: as `connect` takes it.
        function: it and its results must be picklable, and its module known to the workers.
        pieces: each must be picklable. Errors of the iterator are raised by the result.
        name: returns what a message calls a piece; by default its number.
        recover: is called for a piece that ended its workers.

    Raises:
        ClusterError: no scheduler answers, its machines have other versions, or a piece failed on two workers.
    """
    client = connect(address)
    return _ClusterMap(client, address, function, name, recover).results(pieces)


def connect(address: str) -> "Client":
    """Return a client of the scheduler, whose machines have the versions of this one.

    Args:
        address: `tcp://host:8786` or another address of Dask, the path of a scheduler file (.json), or `dask` for
            what Dask's own configuration names.

    Raises:
        ClusterError: Dask is not installed, no scheduler answers, or a machine has another version.
    """
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise ClusterError(
            f"the cluster {address} needs the package dask, which is not installed; install it with {INSTALL}"
        ) from None
    for name in ("distributed", "distributed.client"):  # Dask gives each a level; what they report comes as errors, too
        logging.getLogger(name).setLevel(logging.CRITICAL)
    target = _find_target(address)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\s*Mismatched versions")  # an error comes in its place
            client = _open_client(target)
    except Exception as error:  # a server of another kind at this address gives errors of many kinds
        raise ClusterError(
            f"no scheduler of Dask answers at {address} ({first_line(error)}); start one with `dask scheduler`, or "
            f"correct the address in --cluster or {SCHEDULER}, or the section `tls` of Dask's configuration"
        ) from None
    try:
        _check_versions(client, address)
    except BaseException:
        client.close()
        raise
    return client


def _open_client(target: Mapping[str, str]) -> "Client":
    """Return a client that is connected. One that cannot connect is closed."""
    from distributed import Client

    class ClosingClient(Client):
        """A client that Dask would leave open where the error is not of the network, and wait for at the end."""

        async def _start(self, *arguments: Any, **named: Any) -> None:
            try:
                await asyncio.wait_for(super()._start(*arguments, **named), CONNECTING_SECONDS + 0.5)
            except Exception as error:
                await self._close(fast=True)
                if isinstance(error, asyncio.TimeoutError) and not str(error):  # a server of another kind stays silent
                    raise TimeoutError(f"no answer after {CONNECTING_SECONDS} s") from None
                raise

    return ClosingClient(**target, timeout=CONNECTING_SECONDS, set_as_default=False)


def _find_target(address: str) -> Mapping[str, str]:
    """Return the arguments of `Client` for an address."""
    if address == DASK_CONFIGURATION:
        return _read_configuration()
    if address.endswith(".json"):
        if not Path(address).is_file():
            raise ClusterError(
                f"the scheduler file {address} does not exist; start the scheduler with `dask scheduler "
                f"--scheduler-file {address}`"
            )
        return {"scheduler_file": address}
    if not re.fullmatch(r"([a-z]+://)?[^\s/@?]+:\d+", address):
        raise ClusterError(
            f"the address of the cluster is {hide_secrets(address)!r}, expected one such as tcp://host:8786, a "
            f"scheduler file (.json), or `{DASK_CONFIGURATION}` for that of Dask's configuration"
        )
    return {"address": address}


def _read_configuration() -> Mapping[str, str]:
    """Return where Dask's own configuration finds the scheduler."""
    import dask

    for key, argument in (("scheduler-address", "address"), ("scheduler-file", "scheduler_file")):
        value = dask.config.get(key, None)
        if value:
            return {argument: str(value)}
    raise ClusterError(
        "Dask's configuration names no scheduler; set DASK_SCHEDULER_ADDRESS, or write an address such as "
        "tcp://host:8786 in place of dask"
    )


def _read_versions(client: "Client", address: str) -> Any:
    """Return the versions of packages of this machine, the scheduler and the workers."""
    with naming_lost_scheduler(address):
        before = find_workers(client)
    try:  # `client.get_versions` has no limit of time
        return client.sync(client._get_versions, callback_timeout=CONNECTING_SECONDS)
    except TimeoutError:
        with naming_lost_scheduler(address):
            reason = find_obstacle(find_workers(client), before) or "its workers are slow to answer"
        raise ClusterError(
            f"the cluster at {address} cannot be used now: {reason}. End that one, or try again"
        ) from None


def _check_versions(client: "Client", address: str) -> None:
    found = _read_versions(client, address)
    own = found["client"]["packages"]
    machines = {f"the scheduler at {address}": found["scheduler"]}
    machines |= {f"the worker {worker}": versions for worker, versions in found["workers"].items()}
    for machine, versions in machines.items():
        for name, numbers in SAME_EVERYWHERE.items():
            pair = (str(packages.get(name)).split(".")[:numbers] for packages in (versions["packages"], own))
            theirs, ours = map(".".join, pair)
            if theirs != ours:
                raise ClusterError(
                    f"{machine} has {name} {theirs}, and this machine {ours}; install the same versions everywhere, "
                    "from requirements-cluster.txt"
                )


@dataclass
class _Submitted(Generic[Item]):
    """A piece that is under way."""

    number: int
    piece: Item
    future: "Future[Any]"


class _ClusterMap(Generic[Item, Result]):
    """One map over pieces; see `map_on_cluster`."""

    def __init__(
        self,
        client: "Client",
        address: str,
        function: Callable[[Item], Result],
        name: Callable[[Item], str] | None,
        recover: Recover,
    ) -> None:
        self._client, self._address = client, address
        self._function, self._pack = function, make_packer(function)
        self._name, self._recover = name, recover
        self._window, self._counted = 1, -float(REFRESH_SECONDS)

    def results(self, pieces: Iterable[Item]) -> Generator[Result, None, None]:
        """Yield the results in order, and close the client at the end."""
        waiting: deque[_Submitted[Item]] = deque()
        numbered = enumerate(pieces, start=1)
        try:
            while self._submit_ahead(waiting, numbered):
                yield self._result(waiting.popleft())
        finally:
            cancel(self._client, [submitted.future for submitted in waiting])
            self._client.close()

    def _submit_ahead(self, waiting: "deque[_Submitted[Item]]", numbered: Iterator[tuple[int, Item]]) -> bool:
        """Submit pieces until enough are under way; return whether any is."""
        while len(waiting) < self._count_ahead():
            number, piece = next(numbered, (0, None))
            if piece is None:
                break
            waiting.append(_Submitted(number, piece, self._submit(piece)))
        return bool(waiting)

    def _count_ahead(self) -> int:
        """Return the number of pieces to have under way. Workers come and go."""
        now = time.monotonic()
        if now - self._counted >= REFRESH_SECONDS:
            self._counted = now
            self._window = max(1, WAITING_PER_THREAD * sum(self._threads().values()))
        return self._window

    def _threads(self) -> Mapping[str, int]:
        """Return the number of threads by the address of the worker."""
        with naming_lost_scheduler(self._address):
            workers = find_workers(self._client)
        return {address: worker["nthreads"] for address, worker in workers.items()}

    def _submit(self, piece: Item, workers: list[str] | None = None) -> "Future[Any]":
        """Submit a piece, to one of `workers` while one of them is there."""
        with warnings.catch_warnings(), naming_lost_scheduler(self._address):
            warnings.filterwarnings("ignore", message="Sending large graph")  # a piece may hold images
            packed = self._pack(piece)
            return self._client.submit(
                RUN_PACKED, packed, pure=False, workers=workers, allow_other_workers=bool(workers)
            )

    def _result(self, submitted: _Submitted[Item]) -> Result:
        """Return the result of a piece, from the second worker where the first one fails."""
        try:
            return self._wait(submitted)
        except PieceFailure as failure:
            if isinstance(failure.error, WrongEnvironmentError):
                return self._settle(submitted, failure)
            others = [worker for worker in self._threads() if worker != failure.worker]
        again = _Submitted(submitted.number, submitted.piece, self._submit(submitted.piece, others or None))
        try:
            return self._wait(again)
        except PieceFailure as failure:
            return self._settle(again, failure)

    def _settle(self, submitted: _Submitted[Item], failure: PieceFailure) -> Result:
        """Return the result of a piece that failed twice, as this machine alone would have it, or recover.

        Any other fault, such as a mistake in the code, would end the command on this machine alone, too.
        """
        error = failure.error
        if isinstance(error, UnreadableOnWorkerError) and not _can_read(error.path):
            return self._function(submitted.piece)
        described = self._describe(submitted, failure)
        if not isinstance(error, KilledWorkersError):
            raise described
        result: Result = self._recover(submitted.piece, described)
        return result

    def _wait(self, submitted: _Submitted[Item]) -> Result:
        """Return the result of the piece from its worker.

        Raises:
            PieceFailure: the function raised an error there.
            ClusterError: the scheduler is lost.
        """
        with naming_lost_scheduler(self._address, f", at {self._name_piece(submitted)}"):
            return self._wait_with_notice(submitted.future)

    def _wait_with_notice(self, future: "Future[Any]") -> Result:
        """Return the result once it is there; say once what keeps a worker from work."""
        told, before = "", Workers()
        while True:
            try:
                result: Result = read_result(future, NOTICE_SECONDS)
                return result
            except TimeoutError:
                workers = find_workers(self._client)
                obstacle = find_obstacle(workers, before)
                if obstacle not in ("", told):
                    tqdm.write(f"waiting at {self._address}: {obstacle}", file=sys.stderr)
                    told = obstacle
                before = workers

    def _describe(self, submitted: _Submitted[Item], failure: PieceFailure) -> ClusterError:
        error = failure.error
        where = f"the worker {failure.worker}" if failure.worker != UNKNOWN else "the cluster"
        if isinstance(error, WrongEnvironmentError):
            return ClusterError(
                f"{where} cannot be used: {error}. Install the same code and packages there, from "
                "requirements-cluster.txt, and start the worker again"
            )
        return ClusterError(f"{self._name_piece(submitted)} failed on {where}: {error}")

    def _name_piece(self, submitted: _Submitted[Item]) -> str:
        return self._name(submitted.piece) if self._name else f"piece {submitted.number} of the work"


def find_workers(client: "Client") -> Workers:
    """Return what the scheduler tells of its workers, by their addresses.

    Raises:
        OSError: the scheduler is lost.
    """
    information: Mapping[str, Any] = client.scheduler_info(n_workers=-1)
    if "workers" not in information:  # the client was closed, since it could not connect again
        raise ConnectionError("it does not answer")
    workers: Workers = information["workers"]
    return workers


def find_obstacle(workers: Workers, before: Workers) -> str:
    """Return what keeps a worker from work, for the user; an empty text where nothing does.

    Args:
        workers: as `find_workers` returns them.
        before: those of some seconds ago. A worker that the scheduler has not seen since does not answer.
    """
    if not workers:
        return "no worker is connected"
    for worker, state in sorted(workers.items()):
        if state["last_seen"] == before.get(worker, {}).get("last_seen"):
            return f"the worker {worker} does not answer; after some minutes Dask gives its work to another one"
        if state["status"] == "paused":
            return f"Dask paused the worker {worker}, whose memory is nearly full; start it again with more"
    return ""


def cancel(client: "Client", futures: "Sequence[Future[Any]]") -> None:
    """Cancel tasks, where the scheduler is still there."""
    from distributed.client import ClosedClientError

    with suppress(ClosedClientError):
        client.cancel(futures, force=True)


@contextmanager
def naming_lost_scheduler(address: str, place: str = "") -> Iterator[None]:
    """Raise ClusterError in place of what Dask raises in the block where the scheduler at `address` is lost.

    Args:
        address: for the message.
        place: goes on with the message and says where the work was.
    """
    from distributed.client import ClosedClientError

    try:
        yield
    except (CancelledError, ClosedClientError, OSError) as error:
        raise ClusterError(
            f"the scheduler at {address} is lost ({first_line(error)}){place}; start it and the command again"
        ) from None


def read_result(future: "Future[Any]", seconds: float | None = None) -> Any:
    """Return the result of a task of RUN_PACKED, once it has ended.

    Raises:
        PieceFailure: the task failed, or Dask could not bring it there or its result back.
        TimeoutError: it did not end within so many seconds.
        CancelledError, OSError: the scheduler is lost.
    """
    from distributed.scheduler import KilledWorker

    try:
        return future.result(timeout=seconds)
    except (PieceFailure, CancelledError, OSError):  # TimeoutError is an OSError
        raise
    except KilledWorker as error:
        raise PieceFailure(error.last_worker.address, KilledWorkersError(KILLED)) from None
    except Exception as error:
        raise PieceFailure(UNKNOWN, _explain(error)) from None


def _explain(error: Exception) -> Exception:
    """Return what an error of Dask's own means for the user."""
    for cause in (error, error.__cause__):
        if isinstance(cause, ModuleNotFoundError):
            return WrongEnvironmentError(f"the module {cause.name} is not installed on the scheduler or a worker")
    return RuntimeError(f"{type(error).__name__}: {first_line(error)}")


def _can_read(path: str) -> bool:
    if is_store_address(path):
        return _can_read_in_store(path)
    try:
        with Path(path).open("rb"):
            return True
    except OSError:
        return False


def _can_read_in_store(address: str) -> bool:
    try:
        (content,) = read_store(parse_address(address), [""])
    except InputError:
        return False
    return isinstance(content, bytes)
