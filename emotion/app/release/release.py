"""`emotion release`: what the pipeline just made, kept in models/released with a card of its figures.

DVC tracks the model files, git the rest.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emotion.core.errors import InputError
from emotion.core.files import METRIC_DECIMALS, atomic_path, read_json, write_json
from emotion.core.params import PARAMS_FILE, Params, load_params, read_yaml
from emotion.core.paths import (
    DATASET_METRICS,
    EVALUATION_METRICS,
    EXPORT_METRICS,
    EXPORT_TIME,
    FEATURES,
    FLOAT16_MODEL,
    HISTORY,
    INT8_MODEL,
    MODEL,
    ONNX_MODEL,
    PLOTS,
    PREDICTIONS,
    TFLITE_MODEL,
    TRAINED_MODEL,
    TRAINING_METRICS,
    TRAINING_TIME,
)
from emotion.reports.model_card import (
    KINDS,
    Layout,
    ModelFile,
    Release,
    figure_text,
    find_source,
    make_card,
    percent,
    read_facts,
)

RELEASED = Path("models/released")
SUMMARY = RELEASED / "metrics.json"
METRICS_LIST = RELEASED / "dvc.yaml"
SUMMARY_SCORES = ("accuracy", "macro_f1", "expected_calibration_error")
LOCK = Path("dvc.lock")
CARD = "README.md"

RESULTS = (EVALUATION_METRICS, TRAINING_METRICS, DATASET_METRICS, EXPORT_METRICS, HISTORY, PARAMS_FILE, LOCK)
"""What a release has copies of, besides the model and plots."""

PLOT_NAMES = ("class_balance", "confusion", "precision_recall", "reliability", "roc", "training")
"""The plots that show figures; those of images stay behind, since not every data set may be shown."""

MODELS = (TRAINED_MODEL, MODEL, TFLITE_MODEL, FLOAT16_MODEL, INT8_MODEL, ONNX_MODEL)
"""What the files of a release are made from."""

TIMES = {TRAINING_TIME: TRAINED_MODEL, EXPORT_TIME: MODEL}
"""What was timed, and of which model file."""

FILES = ("tflite", "int8", "onnx")
"""What users call the model files that a release has besides that of Keras."""

MODEL_SUFFIXES = (".keras", ".onnx", ".tflite")
"""The files that DVC tracks."""

CODE = ("emotion", "stages", "dvc.yaml", "requirements.txt", ":(exclude)emotion/app")
"""What results depend on, besides data and params, as git takes paths: the card says what of it is not committed."""

MOST_LOST = 0.001
"""Accuracy that rounding to float16 may change at most, either way."""

TFLITE_MODELS = {"tflite": TFLITE_MODEL, "tflite_float16": FLOAT16_MODEL}
"""By their names in metrics/export.json: what becomes model.tflite."""


@dataclass(frozen=True)
class Stored:
    """The model files of a release.

    Attributes:
        files: the names of its files by what they are in metrics/export.json, that of Keras first.
        weights: the type of the weights in the Keras file.
        accuracy: of the Keras file as it is stored on the test split, 0 to 1.
    """

    files: Mapping[str, str]
    weights: str
    accuracy: float


def release(name: str, *, replace: bool = False, files: Collection[str] | None = None) -> str:
    """Write models/released/NAME, have DVC track and push its model files; return what to tell the user.

    Of FILES it has those that `files` names, all where that is None, and the file of Keras in any case.

    Until the release is whole it lies in a temporary folder beside; on an error nothing of it is left, and one
    that it would have replaced is there as before. Only where the push fails does the release stay.

    Raises:
        InputError: the name or `files` cannot be used, the name is taken (and `replace` is false), the pipeline's
            results are missing or not up to date, git or DVC cannot be asked, or the release cannot be written or
            pushed.
    """
    folder = RELEASED / name
    check_name(name)
    files = FILES if files is None else check_files(files)
    if folder.exists() and not replace:
        raise InputError(
            f"{folder} exists already; give another name, or replace it: remove that folder first, or add --replace"
        )
    params = load_params("evaluate", "compute")
    check_results()
    commit = describe_commit()
    check_up_to_date()
    with _failures_explained(folder), _temporary_folder(folder) as new:
        stored = write_models(new, params, files)
        copy_results(new)
        (new / CARD).write_text(describe(new, folder, stored, commit), encoding="utf-8")
        with _put_in_place(new, folder):
            run_dvc("add", *_texts(model_files(folder)))
            list_metrics()
    push(folder)
    return summarize(folder, stored)


def check_name(name: str) -> None:
    """Raise InputError where `name` has other characters than lowercase letters, digits and '-'."""
    if not re.fullmatch("[a-z0-9][a-z0-9-]*", name):
        raise InputError(
            f"NAME: got {name!r}, expected lowercase letters, digits and '-', a letter or digit first: fer2013-large"
        )


def check_files(files: Collection[str]) -> Collection[str]:
    """Return `files`, or raise InputError where one is none of FILES."""
    for file in files:
        if file not in FILES:
            raise InputError(f"--files: got {file!r}, expected some of {', '.join(FILES)}")
    return files


def check_results() -> None:
    """Raise InputError where the model or one of the results is missing."""
    missing = [str(path) for path in (*MODELS, *RESULTS, PREDICTIONS) if not path.is_file()]
    if missing:
        raise InputError(f"{', '.join(missing)}: missing; make what is missing with `dvc repro`")


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

    Only the pipeline's own stages are asked after: releases that were not pulled do not matter.
    """
    changed = json.loads(run_dvc("status", "--json", "dvc.yaml"))
    if changed:
        raise InputError(
            f"the pipeline is not up to date: {', '.join(sorted(changed))} changed since the last run; a release is of "
            "what `dvc repro` made, so run that first (`dvc status` says what changed)"
        )


def describe(new: Path, folder: Path, stored: Stored, commit: str) -> str:
    """Return the card of the release whose files lie in `new`, and which will be `folder`."""
    params = load_params("source", "split", "labels", "features", "train", "evaluate", path=new / PARAMS_FILE)
    facts = read_facts(new, params)
    times = {path.name: read_json(new / path.name) for path in TIMES if (new / path.name).is_file()}
    milliseconds = times.get(EXPORT_TIME.name, {}).get("milliseconds_a_face", {})
    files = [
        ModelFile(folder / file, KINDS[key], (new / file).stat().st_size, facts.export[key], milliseconds.get(key))
        for key, file in stored.files.items()
    ]
    plots = {name: f"{name}.png" for name in ("confusion", "training") if (new / f"{name}.png").is_file()}
    source = find_source(read_yaml(new / LOCK), params.source.folder)
    release = Release(folder.name, commit, source, stored.weights, stored.accuracy, times.get(TRAINING_TIME.name))
    return make_card(facts, files, Layout(plots), release)


def write_models(folder: Path, params: Params, files: Collection[str]) -> Stored:
    """Write the model files to `folder`: model.keras and model.tflite in half the bytes where that keeps accuracy."""
    others = {key: source for name, (key, source) in name_files().items() if name in files}
    names = {"keras": MODEL.name} | {key: _stored_name(source) for key, source in others.items()}
    for key, source in others.items():
        shutil.copyfile(source, folder / names[key])
    # Loading Keras takes seconds; what is wrong before shows before them.
    from emotion.model_files.keras_setup import set_up

    set_up(params.compute.threads, params.evaluate.seed)
    from emotion.model_files.keras_file import halve_weights

    target = folder / MODEL.name
    halve_weights(MODEL, target)
    accuracy = score(target, params)
    before = read_json(EVALUATION_METRICS)["test"]["accuracy"]
    if is_kept(accuracy, before):
        return Stored(names, "float16", accuracy)
    shutil.copyfile(MODEL, target)
    return Stored(names, "float32", before)


def name_files() -> dict[str, tuple[str, Path]]:
    """Return what each of FILES is in metrics/export.json, and where the pipeline wrote it."""
    tflite = choose_tflite()
    places = (tflite, TFLITE_MODELS[tflite]), ("tflite_int8", INT8_MODEL), ("onnx", ONNX_MODEL)
    return dict(zip(FILES, places, strict=True))


def _stored_name(source: Path) -> str:
    return TFLITE_MODEL.name if source in TFLITE_MODELS.values() else source.name


def choose_tflite() -> str:
    """Return which of TFLITE_MODELS to keep: weights in float16 where that keeps the accuracy, else float32."""
    scores = read_json(EXPORT_METRICS)
    kept = is_kept(scores["tflite_float16"]["accuracy"], scores["tflite"]["accuracy"])
    return "tflite_float16" if kept else "tflite"


def is_kept(accuracy: float, before: float) -> bool:
    """Return whether an accuracy, 0 to 1, is that of before but for MOST_LOST."""
    return round(abs(accuracy - before), METRIC_DECIMALS) <= MOST_LOST


def score(path: Path, params: Params) -> float:
    """Return the accuracy of the model file at `path` on the test arrays, 0 to 1."""
    from emotion.data.feature_arrays import load_features
    from emotion.evaluation.metrics import predicted_labels
    from emotion.model_files.keras_file import load_model
    from emotion.model_files.probabilities import predict_probabilities

    model, _ = load_model(path)
    features = load_features(FEATURES)
    probabilities = predict_probabilities(model, features["x_test"], flip=params.evaluate.flip)
    right = predicted_labels(probabilities, params.evaluate.threshold) == features["y_test"]
    return float(right.mean())


def copy_results(folder: Path) -> None:
    """Copy metrics, history, params, lock and plots to `folder`, side by side; what was timed, if it is known."""
    plots = [PLOTS / f"{name}.png" for name in PLOT_NAMES]
    for path in (*RESULTS, *plots):
        if path in RESULTS or path.is_file():
            shutil.copyfile(path, folder / path.name)
    for path, model in TIMES.items():
        if is_time_of(path, model):
            shutil.copyfile(path, folder / path.name)


def is_time_of(path: Path, model: Path) -> bool:
    """Return whether the time at `path` is that of the present `model`: it may have come from DVC's cache since."""
    md5 = hashlib.md5(model.read_bytes(), usedforsecurity=False).hexdigest()
    return path.is_file() and read_json(path)["md5"] == md5


def model_files(folder: Path) -> list[Path]:
    """Return the files of the release in `folder` that DVC tracks."""
    return sorted(path for path in folder.iterdir() if path.suffix in MODEL_SUFFIXES)


def list_metrics() -> None:
    """Write models/released/metrics.json and dvc.yaml, by which `dvc metrics show` lists every release.

    The figures stand under the key `released`: with those of a run under one name in two files, DVC would give the
    columns of `dvc exp show` longer names.
    """
    folders = sorted(path.parent for path in RELEASED.glob(f"[!.]*/{EVALUATION_METRICS.name}"))
    write_json(SUMMARY, {"released": {folder.name: _summary(folder) for folder in folders}})
    with atomic_path(METRICS_LIST) as temporary:
        lines = "# `dvc metrics show` lists what is released. Written by `emotion release`.\nmetrics:\n"
        temporary.write_text(f"{lines}  - {SUMMARY.name}\n", encoding="utf-8")


def _summary(folder: Path) -> dict[str, float]:
    evaluation, training = (read_json(folder / path.name) for path in (EVALUATION_METRICS, TRAINING_METRICS))
    scores = {name: evaluation["test"][name] for name in SUMMARY_SCORES}
    return scores | {"validation_accuracy": evaluation["validation"]["accuracy"], "parameters": training["parameters"]}


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


def summarize(folder: Path, stored: Stored) -> str:
    """Return a paragraph: where the release is, its figures, its size, what to commit."""
    test = read_json(folder / EVALUATION_METRICS.name)["test"]
    sizes = ", ".join(f"{path.name} {path.stat().st_size / 1e6:.1f} MB" for path in model_files(folder))
    return (
        f"{folder}: accuracy {figure_text(test, 'accuracy')}, macro F1 {figure_text(test, 'macro_f1')} on "
        f"{test['images']:,} test images. {sizes}; weights in {stored.weights}, with which the accuracy is "
        f"{percent(stored.accuracy, 2)}. Tracked by DVC and pushed. Now: git add {' '.join(to_add(folder))}"
    )


def to_add(folder: Path) -> list[str]:
    """Return what git does not have yet: the release, the list of metrics, and the store where git tracks it."""
    default = re.search(r"^\S+\s+(.*?)\s+\(default\)$", run_dvc("remote", "list"), flags=re.MULTILINE)
    paths = [folder, METRICS_LIST, SUMMARY]
    if default and Path(default[1]).is_relative_to(Path.cwd()):
        paths.append(Path(default[1]).relative_to(Path.cwd()))
    return [path for path in _texts(paths) if run_git("status", "--porcelain", "--", path)]


def run_dvc(*arguments: str) -> str:
    """Return what a dvc command printed; InputError with what it said where it fails."""
    return _run([sys.executable, "-m", "dvc", *arguments], f"dvc {arguments[0]}")


def run_git(*arguments: str) -> str:
    """Return what a git command printed; InputError with what it said where it fails."""
    try:
        return _run(["git", *arguments], f"git {arguments[0]}")
    except InputError as error:
        raise InputError(
            f"the commit of the code is unknown, and the card of a release has to name it: {error}\nRelease from a git "
            "clone of the project that has a commit"
        ) from None


def _run(command: Sequence[str], shown: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    except FileNotFoundError:
        raise InputError(f"{command[0]} is missing; install it, or look at PATH") from None
    if done.returncode:
        raise InputError(f"{shown} failed; it said: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _texts(paths: Iterator[Path] | Sequence[Path]) -> list[str]:
    """Return paths sorted, as commands take them."""
    return sorted(path.as_posix() for path in paths)


@contextmanager
def _failures_explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written: {error.strerror or error}; nothing was released. Make room or mend that, "
            "then run the command again"
        ) from None


@contextmanager
def _temporary_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder beside `folder`, which is removed at the end unless it was moved away.

    Its name is one that git and DVC ignore. What killed runs left is removed first.
    """
    prefix = f".partial-{folder.name}-"
    folder.parent.mkdir(parents=True, exist_ok=True)
    for leftover in sorted(folder.parent.glob(f"{prefix}????????")):
        shutil.rmtree(leftover)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=folder.parent) as name:
        temporary = Path(name) / "new"
        temporary.mkdir()
        yield temporary


@contextmanager
def _put_in_place(new: Path, folder: Path) -> Iterator[None]:
    """Move `new` to `folder` for the block; where the block raises, put back what was there before.

    DVC tracks nothing under the name of a temporary folder, so the last steps have to find the release in its place.
    """
    old = new.with_name("old")
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
        yield
    except BaseException:
        if folder.exists():
            folder.rename(new)
        if old.exists():
            old.rename(folder)
        raise
