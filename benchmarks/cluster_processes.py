"""A scheduler of Dask and workers as processes of this machine, for measurements and tests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from distributed import Client

from emotion.parallel.parent import end_with_parent

ROOT = Path(__file__).parents[1]

START_SECONDS = 60

LOCAL = ("--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")
"""Without the last one, Dask answers by HTTP on all networks, even where there is no dashboard."""

QUIET = {"DASK_LOGGING__DISTRIBUTED": "error", "DASK_DISTRIBUTED__DASHBOARD__LINK": "", "CUDA_VISIBLE_DEVICES": ""}


class Cluster:
    """A scheduler and its workers of one thread each, bound to 127.0.0.1.

    Args:
        folder: for their files.
        settings: further variables of their environment.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] = {}) -> None:
        self._folder = folder
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), **QUIET, **settings}
        self._environment.pop("EMOTION_SCHEDULER", None)
        self._scheduler_file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0")
        self.workers: list[subprocess.Popen[bytes]] = []
        self.address = self._wait_for_address()

    def add_worker(self, *arguments: str, cwd: Path | None = None, **settings: str) -> subprocess.Popen[bytes]:
        """Start a worker, in the folder `cwd`; it ends with its process, unless `arguments` bring a nanny."""
        local = self._folder / f"worker-{len(self.workers)}"
        nanny = () if "--nanny" in arguments else ("--no-nanny",)
        threads = ("--nthreads", "1", "--local-directory", str(local))
        worker = self._start("worker", self.address, *threads, *nanny, *arguments, cwd=cwd, **settings)
        self.workers.append(worker)
        return worker

    def wait_for_workers(self, count: int) -> None:
        """Return once so many workers are connected."""
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=START_SECONDS)

    def worker_addresses(self) -> dict[int, str]:
        """Return the address of each worker by the number of its process."""
        with Client(self.address, set_as_default=False) as client:
            return {number: address for address, number in client.run(os.getpid).items()}

    def end(self) -> None:
        """End all processes by their numbers."""
        for process in (*self.workers, self.scheduler):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, kind: str, *arguments: str, cwd: Path | None = None, **settings: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", kind, *LOCAL]
        if kind == "scheduler":
            command += ["--scheduler-file", str(self._scheduler_file)]
        with (self._folder / f"{kind}.log").open("ab") as log:
            return subprocess.Popen(
                [*command, *arguments],
                env={**self._environment, **settings},
                cwd=cwd or self._folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=partial(end_with_parent, os.getpid()),
            )

    def _wait_for_address(self) -> str:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._scheduler_file.exists():
                with Client(scheduler_file=str(self._scheduler_file), set_as_default=False) as client:
                    return str(client.scheduler.address)
            time.sleep(0.05)
        raise TimeoutError((self._folder / "scheduler.log").read_text(encoding="utf-8"))


@contextmanager
def running_cluster(folder: Path, workers: int = 2, **settings: str) -> Iterator[Cluster]:
    """Return a context with a cluster that has so many workers; all its processes end with the block."""
    cluster = Cluster(folder, settings)
    try:
        for _ in range(workers):
            cluster.add_worker()
        if workers:
            cluster.wait_for_workers(workers)
        yield cluster
    finally:
        cluster.end()
