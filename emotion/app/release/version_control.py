"""What git and DVC know of a release: the commit of the code, whether results are up to date, tracking, pushing."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from emotion.core.errors import InputError

CODE = ("emotion", "stages", "dvc.yaml", "requirements.txt", ":(exclude)emotion/app")
"""What results depend on, besides data and params, as git takes paths: the card names what of it is not committed."""


def describe_commit() -> str:
    """Return the commit of the code, for the card, with what of the code is changed since.

    Raises:
        InputError: there is no git, no repository or no commit.
    """
    commit = run_git("rev-parse", "--verify", "HEAD").strip()
    # A line is two letters, a blank and the path.
    changed = [line[3:] for line in run_git("status", "--porcelain", "--untracked-files=all", "--", *CODE).splitlines()]
    return f"`{commit}`" + (f", and changes that were not committed, in {', '.join(changed)}" if changed else "")


def check_up_to_date() -> None:
    """Raise InputError where `dvc repro` would run a stage: the results would be of other code, params or data.

    Only the pipeline's own stages count: releases that were not pulled do not matter.
    """
    changed = json.loads(run_dvc("status", "--json", "dvc.yaml"))
    if changed:
        raise InputError(
            f"the pipeline is not up to date: {', '.join(sorted(changed))} changed since the last run; a release is of "
            "what `dvc repro` made, so run that first (`dvc status` says what changed)"
        )


def track(files: Iterable[Path]) -> None:
    """Have DVC track `files`; InputError with what DVC printed where that fails."""
    run_dvc("add", *_texts(files))


def push(folder: Path) -> None:
    """Push the model files of the release in `folder` to the default remote.

    Raises:
        InputError: that failed; the release itself is whole.
    """
    tracked = _texts(folder.glob("*.dvc"))
    try:
        run_dvc("push", *tracked)
    except InputError as error:
        raise InputError(
            f"{folder} is written and whole, but its model files were not pushed: {error}\nNothing needs to be "
            f"released again; when that is mended, run: dvc push {' '.join(tracked)}"
        ) from None


def paths_to_add(paths: Iterable[Path]) -> list[str]:
    """Return those of `paths` of which git lacks something, and DVC's store where it lies in the repository."""
    default = re.search(r"^\S+\s+(.*?)\s+\(default\)$", run_dvc("remote", "list"), flags=re.MULTILINE)
    paths = list(paths)
    if default and Path(default[1]).is_relative_to(Path.cwd()):
        paths.append(Path(default[1]).relative_to(Path.cwd()))
    return [path for path in _texts(paths) if run_git("status", "--porcelain", "--", path)]


def run_dvc(*arguments: str) -> str:
    """Return what a dvc command printed; InputError with what it printed where it fails."""
    return _run_program([sys.executable, "-m", "dvc", *arguments], f"dvc {arguments[0]}")


def run_git(*arguments: str) -> str:
    """Return what a git command printed; InputError with what it printed where it fails."""
    try:
        return _run_program(["git", *arguments], f"git {arguments[0]}")
    except InputError as error:
        raise InputError(
            f"the commit of the code is unknown, and the card of a release has to name it: {error}\nRelease from a git "
            "clone of the project that has a commit"
        ) from None


def _run_program(command: Sequence[str], shown: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    except FileNotFoundError:
        raise InputError(f"{command[0]} is missing; install it, or look at PATH") from None
    if done.returncode:
        raise InputError(f"{shown} failed; its output: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _texts(paths: Iterable[Path]) -> list[str]:
    """Return paths sorted, as commands take them."""
    return sorted(path.as_posix() for path in paths)
