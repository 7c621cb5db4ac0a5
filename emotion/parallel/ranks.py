"""Processes that train one network together, called ranks: the place of each, and those that this machine starts.

Rank 0 reads and writes what a training does; the others only compute. Each learns its place from its environment. The
user or SLURM starts the ranks, or `run_ranks` does. How they exchange numbers is the matter of emotion/training.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from types import FrameType
from typing import IO, NoReturn

from emotion.core.errors import InputError
from emotion.parallel.parent import end_with_parent

COORDINATOR, NUMBER, PARENT = "EMOTION_COORDINATOR", "EMOTION_RANK", "EMOTION_PARENT"
"""Variables of the environment: the address of rank 0, the number of this rank, and the process that started it."""

NODES, TASKS, TASK, JOB = "SLURM_STEP_NODELIST", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_JOB_ID"
"""Variables that SLURM's srun sets for each of its tasks."""

LOWEST_SLURM_PORT, SLURM_PORTS = 61440, 4096
"""Ports for jobs of SLURM, as JAX chooses them: by the number of the job, so that all tasks know it."""

HIGHEST_PORT = 65535

LOST = 75
"""The exit status of a rank that ended since another one did."""

PAUSE = 0.1
"""Seconds between two looks at the ranks."""

GRACE = 3
"""Seconds for the rank that others lost to be seen to end."""

GO_ON = "Run the command again to go on after the last whole epoch"


@dataclass(frozen=True)
class Rank:
    """The place of a process among those that train together.

    Attributes:
        number: from 0.
        processes: how many ranks there are.
        coordinator: host and port at which rank 0 listens.
    """

    number: int
    processes: int
    coordinator: str


class LostRankError(InputError):
    """Another rank of this training ended, so this one cannot go on."""


def is_rank() -> bool:
    """Return whether this process is one of several that train together, as its environment says."""
    return find_place(os.environ) is not None


def is_follower() -> bool:
    """Return whether this process is a rank other than the first, which must write nothing."""
    place = find_place(os.environ)
    return place is not None and place[1] > 0


def find_rank(processes: int) -> Rank | None:
    """Return the place of this process, or None where nobody gave it one.

    Args:
        processes: the number of ranks, `train.processes`.

    Raises:
        InputError: the environment does not fit `processes`, or is incomplete.
    """
    place = find_place(os.environ)
    if place is None or (processes == 1 and NUMBER not in os.environ):
        return None
    if processes == 1:
        raise InputError(
            f"{NUMBER} is set, but train.processes is 1; set train.processes in params.yaml to the number of processes "
            f"that you start, or unset {COORDINATOR} and {NUMBER}"
        )
    coordinator, number = place
    if number >= processes:
        raise InputError(
            f"this is rank {number}, but train.processes is {processes}, so ranks are 0 to {processes - 1}; set "
            "train.processes in params.yaml to the number of processes that you start"
        )
    tasks = os.environ.get(TASKS) if NUMBER not in os.environ else None
    if tasks is not None and int(tasks) != processes:
        raise InputError(
            f"SLURM runs {tasks} tasks, but train.processes is {processes}; set train.processes to {tasks}, or start "
            f"`srun --ntasks={processes}`"
        )
    return Rank(number, processes, coordinator)


def find_place(environment: Mapping[str, str]) -> tuple[str, int] | None:
    """Return the coordinator's address and the number of this rank, from our variables or those of SLURM's srun.

    Raises:
        InputError: only one of our variables is set, or they are not an address and a number.
    """
    coordinator, number = environment.get(COORDINATOR), environment.get(NUMBER)
    if coordinator is None and number is None:
        return _find_slurm_place(environment)
    if coordinator is None or number is None:
        missing = COORDINATOR if coordinator is None else NUMBER
        raise InputError(f"{missing} is not set; set both {COORDINATOR}=HOST:PORT and {NUMBER}, or none of them")
    if not re.fullmatch(r".+:\d{1,5}", coordinator) or not 0 < split_address(coordinator)[1] <= HIGHEST_PORT:
        raise InputError(
            f"{COORDINATOR}: got {coordinator}, expected an address of rank 0 and a free port: 10.0.0.1:4711"
        )
    if not number.isdecimal():
        raise InputError(f"{NUMBER}: got {number}, expected a number from 0")
    return coordinator, int(number)


def _find_slurm_place(environment: Mapping[str, str]) -> tuple[str, int] | None:
    if not {NODES, TASKS, TASK, JOB} <= environment.keys() or int(environment[TASKS]) < 2:
        return None
    port = LOWEST_SLURM_PORT + int(environment[JOB]) % SLURM_PORTS
    return f"{first_node(environment[NODES])}:{port}", int(environment[TASK])


def first_node(nodes: str) -> str:
    """Return the first name in SLURM's list of nodes, such as `node001` of `node[001-004,007],other`."""
    name, bracket, numbers = nodes.partition(",")[0].partition("[")
    return name + re.split("[-,\\]]", numbers)[0] if bracket else name


def check_processes(processes: int, batch_size: int) -> None:
    """Raise InputError where `processes` ranks cannot train, for want of JAX or since they cannot share a batch."""
    if find_spec("jax") is None:
        raise InputError(
            f"train.processes: got {processes}, which needs JAX; install it with "
            "`pip install 'facial-emotion-pipeline[cluster]'`, or set train.processes to 1"
        )
    if batch_size % processes:
        fitting = max(1, round(batch_size / processes)) * processes
        raise InputError(
            f"train.batch_size: got {batch_size}, which {processes} processes (train.processes) cannot share evenly; "
            f"expected a multiple of {processes}, such as {fitting}"
        )


def set_environment(threads: int) -> None:
    """Have Keras use JAX and JAX `threads` threads, in this process. Call this before either is imported."""
    os.environ |= {"KERAS_BACKEND": "jax", "NPROC": str(threads)}


def wait_for_coordinator() -> None:
    """Return once rank 0 listens, however long that takes; say so where it does not yet, and why."""
    coordinator, number = find_place(os.environ) or ("", 0)
    told = False
    while reason := _try_to_reach(coordinator):
        if not told:
            print(
                f"rank {number} waits for rank 0 at {coordinator} ({reason}). That one listens when its stage train "
                "runs, and only where train.processes is the number of ranks. Ctrl-C ends the wait",
                flush=True,
            )
        told = True
        time.sleep(10 * PAUSE)


def announce(rank: Rank) -> None:
    """Say that rank 0 waits for the other ranks, where a launcher starts them."""
    if rank.number == 0 and PARENT not in os.environ:
        print(f"rank 0 waits at {rank.coordinator} for the other ranks, {rank.processes} in all", flush=True)


def _try_to_reach(address: str) -> str:
    """Return why nothing answers at an address; an empty text where something does."""
    try:
        socket.create_connection(split_address(address), timeout=5).close()
    except OSError as error:
        return error.strerror or "no answer"
    return ""


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of an address such as `10.0.0.1:4711` or `[::1]:4711`."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def check_free(address: str) -> None:
    """Raise InputError where this machine cannot listen at `address`. JAX would end with a segmentation fault."""
    host, port = split_address(address)
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        raise InputError(
            f"rank 0 cannot listen at {address} ({error.strerror}); expected an address of this machine and a free "
            f"port in {COORDINATOR}, such as 10.0.0.1:4711"
        ) from None


def run_rank(run: Callable[[], None]) -> None:
    """Run a rank, which `run` is; on an error end this process at once.

    The end of Python would wait for the other ranks, and theirs for this one, for minutes. SIGINT and SIGTERM end the
    process at once as well: Python would act on them only after the step that waits for the other ranks.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if PARENT in os.environ:
        end_with_parent(int(os.environ[PARENT]))
    try:
        run()
    except SystemExit as end:
        if end.code:
            _end(end)
    except BaseException:
        traceback.print_exc()
        _exit(1)


def _end(end: SystemExit) -> NoReturn:
    if isinstance(end.code, int):
        _exit(end.code)
    is_lost = isinstance(end.__context__, LostRankError)
    if not (is_lost and PARENT in os.environ):  # the parent names the rank that ended first
        print(end.code, file=sys.stderr)
    _exit(LOST if is_lost else 1)


def _exit(status: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


@dataclass(frozen=True)
class _Started:
    """A rank that this process started; rank 0 shows its errors itself, and those of the others are in `errors`."""

    number: int
    process: "subprocess.Popen[bytes]"
    errors: IO[bytes] | None

    @property
    def was_interrupted(self) -> bool:
        """Whether a signal or the end of another rank ended this one, and not an error."""
        return self.process.returncode < 0 or self.process.returncode == LOST

    def explain(self, processes: int) -> str:
        """Return how the rank ended, and what it said at last."""
        status = self.process.returncode
        said = "the error above" if self.errors is None and status > 0 else self._last_line()
        return f"rank {self.number} of {processes} {_describe(status)}" + (f": {said}" if said else "")

    def _last_line(self) -> str:
        """Return the last line that the rank wrote as an error, if it wrote any to our file."""
        if self.errors is None:
            return ""
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _describe(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def run_ranks(module: str, processes: int) -> None:
    """Run `python -m module` as ranks on the processors of this machine, and wait for their end.

    The output of rank 0 is shown. Where a rank ends with an error, the others are ended at once; so are all where this
    process is told to end. On Linux they end even where it is killed.

    Raises:
        InputError: a rank failed. The message says which, how, and what it said at last.
    """
    environment = os.environ | _local_environment()
    with ExitStack() as stack:
        stack.callback(signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, _end_by_signal))
        ranks = [_start(module, number, environment, stack) for number in range(processes)]
        _wait(ranks)


def _end_by_signal(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def _local_environment() -> dict[str, str]:
    """Return the variables that ranks of this machine have in common."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",  # each rank would take all GPUs
        "no_grpc_proxy": "127.0.0.1",
        COORDINATOR: f"127.0.0.1:{port}",
        PARENT: str(os.getpid()),
    }


def _start(module: str, number: int, environment: Mapping[str, str], stack: ExitStack) -> _Started:
    errors = stack.enter_context(tempfile.TemporaryFile()) if number else None  # noqa: SIM115
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        env={**environment, NUMBER: str(number)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if number else None,
        stderr=errors,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return _Started(number, process, errors)


def _wait(ranks: list[_Started]) -> None:
    """Return when all ranks have ended well; raise InputError when one has not, for the cause of all that follows."""
    _poll_until(ranks, lambda statuses: any(statuses) or None not in statuses)
    if any(rank.process.returncode for rank in ranks):
        # A rank that was lost may be seen to end before the one that it lost.
        _poll_until(ranks, lambda statuses: bool(set(statuses) - {0, None, LOST}), seconds=GRACE)
        failed = [rank for rank in ranks if rank.process.returncode]
        first = min(failed, key=lambda rank: (rank.process.returncode == LOST, rank.process.returncode))
        advice = f". {GO_ON}" if first.was_interrupted else ""
        raise InputError(f"{first.explain(len(ranks))}. The other ranks were ended{advice}")


def _poll_until(
    ranks: list[_Started], is_over: Callable[[list[int | None]], bool], seconds: float = float("inf")
) -> None:
    until = time.monotonic() + seconds
    while not is_over([rank.process.poll() for rank in ranks]) and time.monotonic() < until:
        time.sleep(PAUSE)
