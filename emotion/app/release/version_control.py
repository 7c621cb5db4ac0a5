"""Questions to git and DVC about a release: the commit, whether results are up to date, and the files to commit."""

import json
from collections.abc import Iterable
from pathlib import Path

from emotion.app.programs import run_dvc, run_program
from emotion.core.errors import InputError

CODE = ("emotion", "stages", "dvc.yaml", "requirements.txt", ":(exclude)emotion/app")
"""The code that results depend on, as git takes paths. The card names the changes in it that are not committed."""


def describe_commit() -> str:
    """Return the commit of the code for the card, with the changes that are not committed.

    Raises:
        InputError: there is no git, no repository or no commit.
    """
    commit = run_git("rev-parse", "--verify", "HEAD").strip()
    # A line is two letters, a blank and the path.
    changed = [line[3:] for line in run_git("status", "--porcelain", "--untracked-files=all", "--", *CODE).splitlines()]
    return f"`{commit}`" + (f", and changes that were not committed, in {', '.join(changed)}" if changed else "")


def check_up_to_date() -> None:
    """Raise InputError where `dvc repro` would run a stage, since the results are of other code, params or data.

    Only the stages of dvc.yaml count.
    """
    changed = json.loads(run_dvc("status", "--json", "dvc.yaml"))
    if changed:
        raise InputError(
            f"the pipeline is not up to date: {', '.join(sorted(changed))} changed since the last run; run `dvc repro` "
            "first. `dvc status` shows what changed"
        )


def paths_to_add(paths: Iterable[Path]) -> list[str]:
    """Return those of `paths` with changes that git does not have, sorted, as commands take them."""
    texts = sorted(path.as_posix() for path in paths)
    return [path for path in texts if run_git("status", "--porcelain", "--", path)]


def run_git(*arguments: str) -> str:
    """Return the output of a git command; raise InputError with the output where it fails."""
    try:
        return run_program(["git", *arguments], f"git {arguments[0]}")
    except InputError as error:
        raise InputError(
            f"git does not name the commit of the code, which the card of a release needs ({error}); run the command "
            "in a git clone that has a commit"
        ) from None
