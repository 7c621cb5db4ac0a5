"""The metrics files of the workspace, of a git revision and of an experiment of DVC."""

import difflib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emotion.app.programs import run_git
from emotion.app.release.results import PREDICTION
from emotion.core.errors import InputError
from emotion.core.files import parse_json, read_json
from emotion.core.paths import (
    DATASET_METRICS,
    EVALUATION_METRICS,
    EXPORT_METRICS,
    EXPORT_TIME,
    MODEL,
    TRAINING_METRICS,
)

WORKSPACE = "workspace"
"""The name of the files on disk, as in `dvc metrics diff`."""

STAGES = {
    EVALUATION_METRICS: "evaluate",
    EXPORT_METRICS: "export",
    TRAINING_METRICS: "train",
    DATASET_METRICS: "create_dataframe",
}
"""The metrics files that git tracks beside the summary, and the stage that writes each."""

EXPERIMENTS = "refs/exps"
NO_EXPERIMENTS = tuple(f"{EXPERIMENTS}/{name}" for name in ("exec/", "celery/", "stash", "tempdir/"))
"""Starts of references by which DVC records its own work."""

EXCLUDED = "^"
"""The start of a commit that git would leave out, such as `^HEAD`: it names none."""

TIMES = "milliseconds_a_face"
"""The key of the times that stage export measures."""

OLD_WORDS = {"pictures": "images", "source_pictures": "source_images"}
"""Keys of the metrics files of earlier versions, and their names now."""


@dataclass(frozen=True)
class Metrics:
    """The metrics files of one revision.

    Attributes:
        revision: its name, as the user wrote it.
        files: the content of each file of STAGES that the revision has.
    """

    revision: str
    files: Mapping[Path, Mapping[str, Any]]

    def describe_missing(self, paths: Iterable[Path]) -> list[str]:
        """Return a line for each of `paths`, some of STAGES, that the revision lacks."""
        missing = [path for path in dict.fromkeys(paths) if path not in self.files]
        if self.revision == WORKSPACE:
            return [f"{path} is missing; run `dvc repro {STAGES[path]}`" for path in missing]
        return [f"{self.revision} has no {path}; name a revision with committed results" for path in missing]


def read_metrics(revision: str = WORKSPACE) -> Metrics:
    """Return the metrics of `revision`: WORKSPACE, a git revision, or the name of an experiment.

    Raises:
        InputError: there is no such revision, it has no metrics, or a file is broken.
    """
    files = _read_workspace() if revision == WORKSPACE else _read_revision(revision)
    if not files:
        remedy = "after `dvc repro`" if revision == WORKSPACE else "and name a revision with committed results"
        expected = ", ".join(map(str, STAGES))
        raise InputError(
            f"{revision}: got no metrics, expected {expected}; run the command in the project's root folder, {remedy}"
        )
    return Metrics(revision, files)


def add_times(metrics: Metrics) -> Metrics:
    """Return the metrics of the workspace with the milliseconds a face of each exported file, where they are known.

    git ignores times, so only the workspace has them. Those of an earlier model are left out.
    """
    exported = metrics.files.get(EXPORT_METRICS)
    if exported is None or not MODEL.is_file() or not PREDICTION.is_of_this_model:
        return metrics
    times = read_json(EXPORT_TIME).get(TIMES)
    if not isinstance(times, Mapping):
        return metrics
    timed = {
        name: {**scores, TIMES: times.get(name)} if isinstance(scores, Mapping) else scores
        for name, scores in exported.items()
    }
    return replace(metrics, files={**metrics.files, EXPORT_METRICS: timed})


def _read_workspace() -> dict[Path, dict[str, Any]]:
    return {path: _renamed(read_json(path)) for path in STAGES if path.is_file()}


def _read_revision(revision: str) -> dict[Path, dict[str, Any]]:
    commit = resolve(revision)
    # git takes and prints these paths relative to the working folder.
    tracked = run_git("ls-tree", "--name-only", commit, "--", *(path.as_posix() for path in STAGES)).splitlines()
    present = [path for path in STAGES if path.as_posix() in tracked]
    return {path: _parse(run_git("show", f"{commit}:./{path.as_posix()}"), f"{revision}:{path}") for path in present}


def _parse(text: str, name: str) -> dict[str, Any]:
    return dict(_renamed(parse_json(text, name, "name a revision with whole metrics files")))


def _renamed(content: Any) -> Any:
    """Return `content` with the keys of OLD_WORDS under their names now."""
    if not isinstance(content, dict):
        return content
    return {OLD_WORDS.get(key, key): _renamed(value) for key, value in content.items()}


def resolve(revision: str) -> str:
    """Return the hash of the commit of `revision`, a git revision or the name of an experiment.

    Of experiments with the same name, the one that began at HEAD counts.

    Raises:
        InputError: there is none, or several experiments have the name. The message lists what exists.
    """
    references = find_experiments().get(revision, [])
    for name in (revision, *_choose(references)):
        with suppress(InputError):
            found = run_git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
            if not found.startswith(EXCLUDED):
                return found
    if references:
        raise InputError(f"{len(references)} experiments are named {revision!r}; name one of {', '.join(references)}")
    raise InputError(_describe_unknown(revision))


def find_experiments() -> dict[str, list[str]]:
    """Return the references of DVC's experiments by their names."""
    experiments: dict[str, list[str]] = {}
    for reference in run_git("for-each-ref", "--format=%(refname)", EXPERIMENTS).splitlines():
        if not reference.startswith(NO_EXPERIMENTS):
            experiments.setdefault(reference.rpartition("/")[2], []).append(reference)
    return experiments


def _choose(references: list[str]) -> list[str]:
    """Return the only reference, or that of an experiment that began at HEAD; else none."""
    if len(references) < 2:
        return references
    head = run_git("rev-parse", "--verify", "HEAD").strip()
    return [reference for reference in references if f"/{head[:2]}/{head[2:]}/" in reference]


def _describe_unknown(revision: str) -> str:
    """Return the message for a revision that does not exist, with the names that do."""
    branches_and_tags = run_git("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags").splitlines()
    names = [WORKSPACE, *branches_and_tags, *find_experiments()]
    close = difflib.get_close_matches(revision, names, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return (
        f"no git revision or experiment is named {revision!r}{hint}; expected one of {', '.join(names)}, or another "
        "revision that git knows, such as HEAD~1"
    )
