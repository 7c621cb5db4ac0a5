"""One experiment on a worker: in a clone, which holds the queued changes and ends with the experiment."""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from subprocess import PIPE, STDOUT, Popen, TimeoutExpired
from threading import Lock
from typing import Any

from emotion.app.sweep import guard
from emotion.app.sweep.job import Job, Outcome, Places
from emotion.core.errors import InputError, in_one_line
from emotion.parallel.address import SCHEDULER
from emotion.parallel.cancellation import is_canceled
from emotion.parallel.piece import WrongEnvironmentError
from emotion.parallel.ranks import COORDINATOR, NUMBER, TASK

FOLDER = "emotion-sweep"
"""The folder below the one that Dask gives a worker. Dask removes it with the worker, also after a kill."""

LOG_LINES = 10
"""The lines at the end of the log of a failed experiment that are shown."""

POLL_SECONDS = 1.0
"""Time between two questions whether the experiment is canceled."""

_one_at_a_time = Lock()
"""Workers with several threads run one experiment at a time too."""


def run_experiment(job: Job) -> Outcome:
    """Run an experiment and push its result, as a task of Dask.

    Raises:
        WrongEnvironmentError: this worker cannot run any experiment of the sweep.
        InputError: the experiment failed. The message has the end of its log.
    """
    from distributed import get_worker

    with _one_at_a_time:
        worker, start = get_worker(), time.monotonic()
        check_worker(job)
        shared = Path(worker.local_directory) / FOLDER
        shared.mkdir(parents=True, exist_ok=True)
        with temporary_folder(shared) as folder:
            accuracy = Clone(job, shared, folder, canceled=is_canceled).run()
        return Outcome(worker.address, time.monotonic() - start, accuracy)


def check_worker(job: Job) -> None:
    """Raise WrongEnvironmentError where this machine lacks a program or a folder that the sweep needs."""
    if os.name == "nt":
        raise WrongEnvironmentError("it runs Windows, and sweeps need Linux or macOS")
    if not shutil.which("git"):
        raise WrongEnvironmentError("git was not found there")
    _check_dvc(job.places.dvc)
    for sign in job.places.signs:
        if not Path(sign).is_file():
            raise WrongEnvironmentError(
                f"the folder {Path(sign).parent}, a remote of DVC, is not that of this machine; use a folder that all "
                "machines mount under this path, or a server"
            )


def _check_dvc(wanted: str) -> None:
    try:
        found = version("dvc")
    except PackageNotFoundError:
        found = "(not installed)"
    if found != wanted:
        raise WrongEnvironmentError(f"it has dvc {found} in place of {wanted}")


@contextmanager
def temporary_folder(shared: Path) -> Iterator[Path]:
    """Return a context with a new folder, which goes at its end, or where this process is killed."""
    folder = tempfile.mkdtemp(dir=shared)
    with guarded("remove", folder):
        yield Path(folder)


@contextmanager
def guarded(task: str, *arguments: str, **options: Any) -> Iterator["Popen[bytes]"]:
    """Return a context with a process of `emotion.app.sweep.guard`, which gets the end of its input at its end."""
    command = [sys.executable, "-I", guard.__file__, task, *arguments]
    # Ctrl-C in the terminal of the worker ends the worker, and that ends the guard.
    with Popen(command, stdin=PIPE, bufsize=0, start_new_session=True, **options) as process:
        yield process


class Clone:
    """A clone that runs one experiment.

    Args:
        job: the experiment and the places.
        shared: a folder for what the experiments of this worker share: git's objects and DVC's cache.
        folder: an empty folder for this experiment.
        canceled: says whether the experiment should end.
    """

    def __init__(self, job: Job, shared: Path, folder: Path, canceled: Callable[[], bool]) -> None:
        self._experiment, self._places = job.experiment, job.places
        self._shared, self._folder, self._canceled = shared, folder, canceled
        self._clone, self._log = folder / "clone", folder / "log"

    def run(self) -> float | None:
        """Run the experiment, push it, and return `val.accuracy` of its summary; raise InputError where it fails."""
        self._make_clone()
        write_settings(self._clone / ".dvc/config.local", self._places, self._shared / "cache")
        self._copy_files()
        self._dvc("pull", "--allow-missing")
        self._dvc("exp", "run", "--name", self._experiment.name, *self._experiment.options)
        self._dvc("exp", "push", "--force", "origin", self._experiment.name)  # a killed worker may have pushed it
        return read_accuracy(self._clone / "metrics/summary.json")

    def _make_clone(self) -> None:
        """Make a clone whose working tree has the queued changes, as a workspace has them before `dvc exp run`."""
        mirror, branch = self._shared / "git", f"sweep-{self._experiment.revision}"
        fetched = f"+{self._experiment.sent_ref}:refs/heads/{branch}"
        self._call(self._folder, "git", "init", "--quiet", "--bare", str(mirror))
        self._call(mirror, "git", "fetch", "--quiet", "--no-tags", self._places.git, fetched)
        self._call(self._folder, "git", "clone", "--quiet", "--branch", branch, str(mirror), "clone")
        for name, value in self._places.identity.items():
            self._git("config", name, value)
        self._git("remote", "set-url", "origin", self._places.git)
        self._git("checkout", "--quiet", "--detach", self._experiment.baseline)
        self._git("restore", "--source", self._experiment.commit, "--staged", "--worktree", ".")

    def _copy_files(self) -> None:
        for name in self._experiment.copied:
            source, target = Path(self._places.data, name), self._clone / name
            if not source.exists():
                raise InputError(f"the worker has no {source}; --data names the folder that has {name} on each worker")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, target, dirs_exist_ok=True) if source.is_dir() else shutil.copy(source, target)

    def _git(self, *arguments: str) -> None:
        self._call(self._clone, "git", *arguments)

    def _dvc(self, *arguments: str) -> None:
        self._call(self._clone, sys.executable, "-m", "dvc", *arguments)

    def _call(self, folder: Path, *command: str) -> None:
        """Run a command in a folder; raise InputError where it fails, or once the experiment is canceled."""
        own = {"cwd": folder, "env": clone_environment(self._shared), "stderr": STDOUT}
        with self._log.open("ab") as log, guarded("run", *command, stdout=log, **own) as process:
            status = self._wait(process)
        if status:
            shown = " ".join(PurePosixPath(word).name for word in command[:4])
            raise InputError(f"`{shown}` failed:\n{self._read_log_end()}")

    def _wait(self, process: Popen[bytes]) -> int:
        while True:
            try:
                return process.wait(POLL_SECONDS)
            except TimeoutExpired:
                if self._canceled():
                    raise InputError("canceled") from None

    def _read_log_end(self) -> str:
        try:
            lines = self._log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
        except FileNotFoundError:
            return ""
        return "\n".join(f"  {in_one_line(line)}" for line in lines[-LOG_LINES:])


def clone_environment(shared: Path) -> dict[str, str]:
    """Return the variables of this worker, less those that Dask set for tasks in its threads.

    Stages use this machine alone, so the cluster is not named, and a worker that srun started is no rank of a training.
    """
    import dask

    by_dask = dask.config.get("distributed.nanny.pre-spawn-environ", {})
    kept = {name: value for name, value in os.environ.items() if value != str(by_dask.get(name))}
    for name in (SCHEDULER, COORDINATOR, NUMBER, TASK):
        kept.pop(name, None)
    programs = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    quiet = {"GIT_TERMINAL_PROMPT": "0", "DVC_SITE_CACHE_DIR": str(shared / "site")}
    return kept | quiet | {"PATH": programs}


def write_settings(path: Path, places: Places, cache: Path) -> None:
    """Write DVC's settings of a clone: a cache, and the shared remotes, which DVC then finds at every revision."""
    from configobj import ConfigObj

    settings = ConfigObj(encoding="utf-8", interpolation=False)
    settings.filename = str(path)
    settings["cache"] = {"dir": str(cache)}
    settings["core"] = {"remote": places.default} if places.default else {}
    for name, remote in places.remotes.items():
        settings[f'remote "{name}"'] = dict(remote)
    settings.write()


def read_accuracy(summary: Path) -> float | None:
    """Return `val.accuracy` of a summary; None where the file or the figure is missing."""
    try:
        return float(json.loads(summary.read_text(encoding="utf-8"))["val"]["accuracy"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
