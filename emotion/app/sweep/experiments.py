"""The experiments in DVC's queue: read, and removed once they have ended."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotion.app.programs import run_dvc, run_program
from emotion.app.sweep.job import Experiment
from emotion.core.errors import InputError, first_line

if TYPE_CHECKING:
    from dvc.repo import Repo

ARGUMENTS = ".dvc/tmp/repro.dat"
"""The file in which DVC keeps the arguments of a queued experiment, and the token of DVC Studio where one is set."""

ON_ERROR = {"keep-going": "--keep-going", "ignore": "--ignore-errors"}

AUTHOR = {
    f"GIT_{who}_{key}": value
    for who in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "emotion sweep"), ("EMAIL", "sweep@localhost"), ("DATE", "2000-01-01T00:00:00Z"))
}
"""Who makes the commits that are sent. No result has them."""

COLLECTING_TRIES = 3
"""Tries of a DVC command that another one may lock out."""


@contextmanager
def open_repository() -> Iterator["Repo"]:
    """Return a context with the repository of the working directory; raise InputError where DVC finds none."""
    try:
        from dvc.exceptions import DvcException
        from dvc.repo import Repo
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed; install the packages of requirements.txt") from None
    try:
        with Repo(".") as repository:
            yield repository
    except DvcException as error:
        raise InputError(f"DVC cannot read this repository: {first_line(error)}") from None


def read_queue(repository: "Repo") -> list[Experiment]:
    """Return the experiments that wait in DVC's queue, in its order; raise InputError where none does."""
    found = [_read_experiment(*entry) for entry in _list_queued(repository)]
    if not found:
        raise InputError(
            "no experiment is queued; queue some, such as with `dvc exp run --queue -S train.learning_rate=0.02,0.05`"
        )
    return found


def _list_queued(repository: "Repo") -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield what DVC keeps of each queued experiment: its entry, and options for the run."""
    for message in repository.experiments.celery_queue.celery.iter_queued():
        if message.headers.get("task") == "dvc.repo.experiments.queue.tasks.run_exp":
            arguments, options, _ = message.decode()
            yield options.get("entry_dict") or arguments[0], options


def _read_experiment(entry: Mapping[str, Any], options: Mapping[str, Any]) -> Experiment:
    revision, baseline, name = entry["stash_rev"], entry["baseline_rev"], entry["name"]
    copied = tuple(options.get("copy_paths") or ())
    for path in copied:
        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise InputError(
                f"the experiment {name} copies {path} (-C), expected a path inside the repository; queue it again"
            )
    message = ("--message", options["message"]) if options.get("message") else ()
    flags = (*to_flags(_read_arguments(revision)), *message)
    return Experiment(name, revision, baseline, make_commit(revision, baseline), flags, copied)


def _read_arguments(revision: str) -> Mapping[str, Any]:
    """Return the arguments that DVC keeps for a queued experiment."""
    from dvc.repo.experiments.executor.base import BaseExecutor

    with tempfile.TemporaryDirectory() as folder:
        run_program(
            ["git", "--work-tree", folder, "restore", "--source", revision, "--worktree", ARGUMENTS],
            "git restore",
        )
        _, arguments = BaseExecutor.unpack_repro_args(str(Path(folder, ARGUMENTS)))
    found: Mapping[str, Any] = arguments
    return found


def to_flags(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Return arguments that DVC keeps as those of its command line."""
    flags = [f"--{name.replace('_', '-')}" for name, value in arguments.items() if value is True]
    on_error = [flag for value, flag in ON_ERROR.items() if arguments.get("on_error") == value]
    return (*flags, *on_error, *(arguments.get("targets") or ()))


def make_commit(revision: str, baseline: str) -> str:
    """Return a commit with the queued changes, without the file of arguments, which may hold a token."""
    with tempfile.TemporaryDirectory() as folder:
        variables = {"GIT_INDEX_FILE": str(Path(folder, "index")), **AUTHOR}

        def git(*arguments: str) -> str:
            return run_program(["git", *arguments], f"git {arguments[0]}", variables=variables).strip()

        git("read-tree", revision)
        git("update-index", "--force-remove", ARGUMENTS)
        return git("commit-tree", git("write-tree"), "-p", baseline, "-m", "Queued experiment")


def find_remotes(repository: "Repo", experiments: Sequence[Experiment]) -> set[str]:
    """Return the names of the DVC remotes that hold outputs of the experiments.

    Raises:
        InputError: an output has no remote.
    """
    names = set()
    for experiment in experiments:
        with repository.switch(experiment.commit):
            outputs = [output for output in repository.index.outs if output.use_cache]
            names |= {output.remote or repository.config["core"].get("remote") for output in outputs}
    if None in names:
        raise InputError("no DVC remote is set; name one for results with `dvc remote add --default NAME URL`")
    return names


def collect(experiment: Experiment, git_remote: str, *, files: bool) -> None:
    """Bring a finished experiment here, and remove it from the queue.

    Args:
        experiment: it was pushed to the git remote.
        git_remote: the name of that remote.
        files: whether to fetch what DVC's cache holds of it too.

    Raises:
        InputError: it cannot be fetched.
    """
    _try_dvc("exp", "pull", "--force", *([] if files else ["--no-cache"]), git_remote, experiment.name)
    _try_dvc("queue", "remove", experiment.revision)  # not by its name, which a finished one may have too


def _try_dvc(*arguments: str) -> None:
    """Run a command of DVC; try it again where it fails, since another command may have locked it out for seconds."""
    for remaining in reversed(range(COLLECTING_TRIES)):
        try:
            run_dvc(*arguments)
            return
        except InputError:
            if not remaining:
                raise
