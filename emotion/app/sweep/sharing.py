"""The git remote and the DVC remotes through which the machines of a sweep share experiments."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from emotion.app.programs import run_git, run_program
from emotion.app.shared_folders import marked_folders
from emotion.app.sweep.job import Experiment
from emotion.core.errors import InputError, first_line

if TYPE_CHECKING:
    from dvc.repo import Repo

SENT_SETTINGS = ("url", "endpointurl", "region", "port")
"""Settings of a DVC remote that workers get. All others, such as passwords, are those of the worker's own DVC."""

ANSWER_SECONDS = 5
"""Time in which the git remote has to answer."""


def find_git_url(remote: str) -> str:
    """Return the address to which git pushes for a remote, without passwords; a path is absolute.

    Raises:
        InputError: there is no such remote.
    """
    try:
        url = run_git("remote", "get-url", "--push", remote).strip()
    except InputError:
        raise InputError(
            f"git has no remote {remote}; name another one with --git-remote, or add one that all machines reach with "
            f"`git remote add {remote} URL`"
        ) from None
    return str(Path(url).resolve()) if Path(url).exists() else without_credentials(url)


def without_credentials(url: str) -> str:
    """Return an address without password and query, and without the user name where it may be a token."""
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        return url
    login, _, host = parts.netloc.rpartition("@")
    user = "" if parts.scheme in ("http", "https") else login.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@{host}" if user else host, query=""))


def list_refs(remote: str) -> set[str]:
    """Return the references of experiments and of sweeps in a git remote; raise InputError where it does not answer."""
    command = ["git", "ls-remote", remote, "refs/exps/*", "refs/emotion/*"]
    try:
        lines = run_program(command, "git ls-remote", seconds=ANSWER_SECONDS).splitlines()
    except InputError as error:
        raise InputError(f"the git remote {remote} cannot be used: {first_line(error)}") from None
    return {line.partition("\t")[2] for line in lines}


def check_names(remote: str, refs: set[str], experiments: Sequence[Experiment]) -> None:
    """Raise InputError where a git remote, with these references, has a result under the name of an experiment."""
    for experiment in experiments:
        if experiment.result_ref in refs:
            raise InputError(
                f"the git remote {remote} has an experiment {experiment.name} of this commit already; remove it with "
                f"`dvc exp remove --git-remote {remote} {experiment.name}`, or take it with `dvc exp pull {remote} "
                f"{experiment.name}` and `dvc queue remove {experiment.revision[:7]}`"
            )


def describe_remotes(repository: "Repo", names: set[str]) -> dict[str, Mapping[str, str]]:
    """Return what workers need to know of DVC remotes: their addresses, but no passwords.

    Raises:
        InputError: a remote is not set.
    """
    configured = repository.config["remote"]
    for name in sorted(names - set(configured)):
        raise InputError(f"the DVC remote {name} is not set; run `make setup`, or `dvc remote add {name} URL`")
    return {name: _describe(configured[name]) for name in sorted(names)}


def _describe(settings: Mapping[str, object]) -> Mapping[str, str]:
    kept = {key: without_credentials(str(settings[key])) for key in SENT_SETTINGS if key in settings}
    return kept | ({} if "://" in kept["url"] else {"url": str(Path(kept["url"]).resolve())})


@contextmanager
def signed_folders(remotes: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, ...]]:
    """Return a context with a new file in each remote that is a folder; a worker that sees it sees the same folder.

    Raises:
        InputError: a folder cannot be written.
    """
    signs: list[Path] = []
    with ExitStack() as stack:
        for folder in (Path(remote["url"]) for remote in remotes.values() if "://" not in remote["url"]):
            try:
                signs += stack.enter_context(marked_folders([folder]))
            except OSError as error:
                raise InputError(f"{folder}, a remote of DVC, cannot be written: {error.strerror}") from None
        yield tuple(map(str, signs))


@contextmanager
def sent(remote: str, experiments: Sequence[Experiment], ended: set[Experiment]) -> Iterator[None]:
    """Send the queued commits to the git remote for the block, with the commits that they need.

    Results of experiments that did not end are removed with them: a worker that was stopped may have pushed a part.

    Args:
        remote: the name of the git remote.
        experiments: their commits are sent, each under a reference that no branch has.
        ended: the experiments whose results stay. The block adds to it.

    Raises:
        InputError: the remote refuses them.
    """
    try:
        run_git("push", "--quiet", "--force", remote, *(f"{one.commit}:{one.sent_ref}" for one in experiments))
    except InputError as error:
        raise InputError(f"the git remote {remote} cannot be pushed to: {error}") from None
    try:
        yield
    finally:
        stale = {one.sent_ref for one in experiments} | {one.result_ref for one in experiments if one not in ended}
        with suppress(InputError):
            run_git("push", "--quiet", remote, "--delete", *sorted(stale & list_refs(remote)))


def read_identity() -> dict[str, str]:
    """Return the name and the address that git here puts into commits, as far as they are set."""
    identity = {}
    for key in ("user.name", "user.email"):
        with suppress(InputError):
            identity[key] = run_git("config", key).strip()
    return identity
