"""A whole sweep: the queue is read, its experiments run on the cluster, and what ends well is brought here."""

import sys
from contextlib import closing
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from tqdm import tqdm

from emotion.app.sweep.experiments import collect, find_remotes, open_repository, read_queue
from emotion.app.sweep.job import Experiment, Job, Outcome, Places
from emotion.app.sweep.sharing import (
    check_names,
    describe_remotes,
    find_git_url,
    list_refs,
    read_identity,
    sent,
    signed_folders,
)
from emotion.app.sweep.sweep import Result, Sweep
from emotion.core.errors import InputError, without_controls
from emotion.parallel.cluster import connect
from emotion.parallel.piece import PieceFailure


def run_queue(address: str, git_remote: str, data: Path | None, *, files: bool) -> tuple[int, int]:
    """Run the queued experiments of the repository in the working directory.

    Args:
        address: the scheduler, as `connect` takes it.
        git_remote: the name of the git remote.
        data: the folder on workers with the files that experiments copy; None is the path of the repository.
        files: whether to fetch what DVC's cache holds of the results too.

    Returns:
        The numbers of experiments that ended well and are here, and of all.

    Raises:
        InputError: the queue, a remote or the cluster cannot be used. Nothing was run then.
    """
    ended: set[Experiment] = set()
    with closing(connect(address)) as client:
        experiments, places = _prepare(git_remote, data)
        with signed_folders(places.remotes) as signs, sent(git_remote, experiments, ended):
            jobs = [Job(experiment, replace(places, signs=signs)) for experiment in experiments]
            sweep = Sweep(client, address, jobs, tell)
            return _follow(sweep, len(jobs), ended, Collector(git_remote, files)), len(jobs)


def _prepare(git_remote: str, data: Path | None) -> tuple[list[Experiment], Places]:
    """Return the queued experiments and what their machines share, both checked."""
    url, refs = find_git_url(git_remote), list_refs(git_remote)
    with open_repository() as repository:
        experiments = read_queue(repository)
        remotes = describe_remotes(repository, find_remotes(repository, experiments))
        folder, default = (data or Path(repository.root_dir)).resolve(), repository.config["core"].get("remote")
    check_names(git_remote, refs, experiments)
    return experiments, Places(url, remotes, default, (), str(folder), read_identity(), version("dvc"))


def tell(line: str) -> None:
    """Print a line for the user, above the bar if there is one."""
    tqdm.write(without_controls(line), file=sys.stderr)


class Collector:
    """Brings results here.

    Args:
        git_remote: the name of the git remote that has them.
        files: whether to fetch what DVC's cache holds of them too.
    """

    def __init__(self, git_remote: str, files: bool) -> None:
        self._git_remote, self._files = git_remote, files

    def collect(self, experiment: Experiment) -> bool:
        """Bring a result here and return whether that went well."""
        try:
            collect(experiment, self._git_remote, files=self._files)
        except InputError as error:
            tell(
                f"{experiment.name}: ended, but was not fetched: {error}. `dvc exp pull {self._git_remote} "
                f"{experiment.name}` fetches it"
            )
            return False
        return True


def _follow(sweep: Sweep, total: int, ended: set[Experiment], collector: Collector) -> int:
    """Report and collect the experiments as they end; return the number of those that ended well and are here."""
    collected = 0
    try:
        with tqdm(total=total, unit=" experiments", disable=None) as bar:
            for job, result in sweep.results():
                if isinstance(result, Outcome):
                    ended.add(job.experiment)
                tell(describe((job, result)))
                collected += isinstance(result, Outcome) and collector.collect(job.experiment)
                bar.update()
    finally:
        tell(count(len(ended), collected, total))
    return collected


def count(ended: int, collected: int, total: int) -> str:
    """Return what the user reads at the end: how many experiments ended well, are here, and stay in the queue."""
    missing = f", and {collected} of these are here" if collected < ended else ""
    rest = "; the rest stays in the queue" if collected < total else ""
    return f"{ended} of {total} experiments ended well{missing}{rest}"


def describe(result: Result) -> str:
    """Return what the user reads of an experiment that ended."""
    job, outcome = result
    if isinstance(outcome, PieceFailure):
        return f"{job.experiment.name}: failed again, on {outcome.worker}: {outcome.error}"
    figure = f", val.accuracy {outcome.accuracy:.5f}" if outcome.accuracy is not None else ""
    return f"{job.experiment.name}: {outcome.seconds:.0f} s on {outcome.worker}{figure}"
