"""`emotion release`: keeps the model that the pipeline made in models/released, with a card of its figures.

All of it is plain files for git, so that a clone can read photos at once.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from emotion.app.release.artifacts import PIPELINE, check_artifact, write_artifact
from emotion.app.release.results import (
    LOCK,
    MEASURED_TIMES,
    PREDICTION,
    RESULTS,
    TRAINING,
    copy_results,
)
from emotion.app.release.stored_models import StoredModels, choose_files, model_files, write_models
from emotion.app.release.version_control import check_up_to_date, describe_commit, paths_to_add
from emotion.core.errors import InputError
from emotion.core.files import atomic_folder, atomic_path, read_json, remove_leftovers
from emotion.core.params import PARAMS_FILE, SHARED_REMOTE, load_params, read_yaml
from emotion.core.paths import EVALUATION_METRICS, EXPORTED, HISTORY, PREDICTIONS, RELEASED_MODELS, TRAINED_MODEL
from emotion.presentation.formats import figure_text, millions, percent
from emotion.reports.facts import Facts, find_source, read_facts
from emotion.reports.model_card import KINDS, Links, ModelFile, Release, make_card

CARD = "README.md"

MODELS = (TRAINED_MODEL, *EXPORTED.values())
"""The files that the model files of a release are made from."""


def release(name: str, *, overwrite: bool = False, files: Collection[str] | None = None) -> str:
    """Write models/released/NAME and its entry among the artifacts of dvc.yaml, and return what to print.

    The release has the model files that `files` names, or all of FILES for None.

    A temporary folder holds the release until it is complete. After an error nothing of it is left, and the release to
    replace and dvc.yaml are unchanged.

    Raises:
        InputError: the name or `files` cannot be used, or the name is taken and `overwrite` is false. Results of the
            pipeline are missing or out of date. git, DVC or a write fails.
    """
    folder = RELEASED_MODELS / name
    check_name(name)
    files = choose_files(files)
    if folder.exists() and not overwrite:
        raise InputError(f"{folder} exists already; choose another name, or replace this release with --overwrite")
    check_artifact(folder)
    params = load_params("evaluate", "compute")
    check_results()
    commit = describe_commit()
    check_up_to_date()
    remove_leftovers(folder.parent)
    # The folder and dvc.yaml get their places last, one right after the other.
    with explain_failures(folder), atomic_path(PIPELINE) as pipeline, atomic_folder(folder, durable=True) as new:
        stored = write_models(new, params, files)
        copy_results(new)
        facts = read_release(new)
        (new / CARD).write_text(describe_release(facts, new, folder, stored, commit), encoding="utf-8")
        write_artifact(pipeline, folder / next(iter(stored.files.values())), facts)
    return summarize_release(folder, stored)


@contextmanager
def explain_failures(folder: Path) -> Iterator[None]:
    """Turn an OSError in the block into an InputError that names `folder`."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror or error}); nothing was released. Free space or correct the "
            "permissions, then run the command again"
        ) from None


def check_name(name: str) -> None:
    """Raise InputError where `name` is no name of an artifact, of lowercase letters, digits and inner '-'."""
    if not re.fullmatch("[a-z0-9]([a-z0-9-]*[a-z0-9])?", name):
        raise InputError(
            f"NAME: got {name!r}, expected lowercase letters, digits and '-', a letter or digit first and last, such "
            "as fer2013-large"
        )


def check_results() -> None:
    """Raise InputError where the model or one of the results is missing."""
    missing = [str(path) for path in (*MODELS, *RESULTS, PREDICTIONS, HISTORY) if not path.exists()]
    if missing:
        raise InputError(f"missing: {', '.join(missing)}; make what is missing with `dvc repro`")


def read_release(new: Path) -> Facts:
    """Return the metrics and the params of the release whose files lie in `new`."""
    params = load_params("source", "split", "labels", "features", "train", "evaluate", path=new / PARAMS_FILE)
    return read_facts(new, params)


def describe_release(facts: Facts, new: Path, folder: Path, stored: StoredModels, commit: str) -> str:
    """Return the card of the release whose files lie in `new`, and which will be `folder`."""
    milliseconds = (PREDICTION.read_copy(new) or {}).get("milliseconds_a_face", {})
    files = [
        ModelFile(folder / file, KINDS[key], (new / file).stat().st_size, facts.export[key], milliseconds.get(key))
        for key, file in stored.files.items()
    ]
    plots = {name: f"{name}.png" for name in ("confusion", "groups", "training") if (new / f"{name}.png").is_file()}
    source = find_source(read_yaml(new / LOCK), facts.params.source.folder)
    release = Release(folder.name, commit, source, stored.weights, stored.accuracy, TRAINING.read_copy(new))
    return make_card(facts, files, Links(plots), release)


def summarize_release(folder: Path, stored: StoredModels) -> str:
    """Return lines: where the release is, its figures and its size; times that it lacks; and what to commit."""
    test = read_json(folder / EVALUATION_METRICS.name)["test"]
    sizes = ", ".join(f"{path.name} {millions(path.stat().st_size)} MB" for path in model_files(folder))
    unknown = [time.title for time in MEASURED_TIMES if not (folder / time.copy).is_file()]
    weights = f"weights in {stored.weights}, with which" if stored.weights else "with the first file,"
    figures = (
        f"{folder}: accuracy {figure_text(test, 'accuracy')}, macro F1 {figure_text(test, 'macro_f1')} on "
        f"{test['images']:,} test images. {sizes}; {weights} the accuracy is {percent(stored.accuracy, 2)}"
    )
    times = [f"{title}: not known, since the model came from DVC's cache" for title in unknown]
    source = load_params("source", path=folder / PARAMS_FILE).source
    lines = [figures, *times]
    if source.remote != SHARED_REMOTE:
        lines.append(f"trained on images of {source.folder}: git shares a release, so commit it only if you may")
    return "\n".join((*lines, f"Now: git add {' '.join(paths_to_add([folder, PIPELINE]))}"))
