"""The work that a sweep sends to a worker, and the answer. Both hold no passwords."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Experiment:
    """An experiment in DVC's queue.

    Attributes:
        name: its name in the queue, which it keeps.
        revision: the commit that stands for it in the queue.
        baseline: the commit that it changes.
        commit: the baseline with the queued changes, without what only DVC's queue needs.
        options: further arguments of `dvc exp run`.
        copied: paths of files and folders outside git and DVC that it needs, relative to the repository.
    """

    name: str
    revision: str
    baseline: str
    commit: str
    options: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()

    @property
    def sent_ref(self) -> str:
        """The reference under which `commit` is sent to the git remote."""
        return f"refs/emotion/sweep/{self.revision}"

    @property
    def result_ref(self) -> str:
        """The reference that DVC gives the result."""
        return f"refs/exps/{self.baseline[:2]}/{self.baseline[2:]}/{self.name}"


@dataclass(frozen=True)
class Places:
    """The places that the machines of a sweep share.

    Attributes:
        git: the url of the git remote.
        remotes: the settings of DVC's remotes by name; each has a `url`.
        default: the name of DVC's default remote; None where none is set.
        signs: files that this machine made in those remotes that are folders. A worker sees them where it sees the same
            folders.
        data: the folder with the files that experiments copy.
        identity: `user.name` and `user.email` of the commits, as far as git knows them here.
        dvc: the version of DVC.
    """

    git: str
    remotes: Mapping[str, Mapping[str, str]]
    default: str | None
    signs: tuple[str, ...]
    data: str
    identity: Mapping[str, str]
    dvc: str


@dataclass(frozen=True)
class Job:
    """One experiment for one worker."""

    experiment: Experiment
    places: Places


@dataclass(frozen=True)
class Outcome:
    """An experiment that ended well.

    Attributes:
        worker: the address of the worker.
        seconds: the time that it took there, with the transfers.
        accuracy: `val.accuracy` of its summary; None where it has none.
    """

    worker: str
    seconds: float
    accuracy: float | None
