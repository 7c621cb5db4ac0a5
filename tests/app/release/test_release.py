"""`emotion release` writes a whole release, or nothing; the card says what the files beside it say."""

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from ruamel.yaml import YAML

from emotion.app import cli
from emotion.app.programs import run_dvc
from emotion.app.release import stored_models, version_control
from emotion.app.release.release import release
from emotion.core.errors import InputError
from emotion.core.files import atomic_folder, read_json, write_csv, write_json
from emotion.core.metadata import ModelMetadata
from emotion.core.params import load_params, read_yaml
from emotion.core.paths import (
    EXPORT_METRICS,
    EXPORT_TIME,
    FLOAT16_MODEL,
    INT8_MODEL,
    MODEL,
    ONNX_MODEL,
    TFLITE_MODEL,
    TRAINED_MODEL,
    TRAINING_TIME,
)
from emotion.core.paths import RELEASED_MODELS as RELEASED
from emotion.evaluation.curves import tabulate_predictions
from emotion.evaluation.metrics import predicted_labels
from emotion.evaluation.report import SplitPredictions, make_report
from emotion.model_files.keras_file import load_model, save_model
from emotion.model_files.probabilities import predict_probabilities
from emotion.networks import registry
from emotion.presentation.formats import number
from tests.makers import make_history, write_history, write_params

pytestmark = pytest.mark.tf

SIZE = 24
TRAINED = ModelMetadata(("happy", "sad", "neutral"), SIZE, "grayscale")
METADATA = replace(TRAINED, flip=True, temperature=1.25)
MD5 = "3a36ccf3f525d7d94d8f2740849aefd1.dir"
SHA256 = "0123456789abcdef" * 4
LOCK = f"""\
schema: '2.0'
stages:
  create_dataframe:
    deps:
    - path: data/raw
      hash: md5
      md5: {MD5}
"""
PIPELINE = """\
# Images go in; a network comes out.
stages: {}

artifacts:
  model:
    path: models/model.keras  # of the last run
"""
EXPORTED = {"bytes": 1_000_000, "accuracy": 0.7, "agreement": 0.99, "largest_difference": 0.01}
MODEL_FILES = ("model.keras", "model.onnx", "model.tflite", "model_int8.tflite")
NO_ROOM = OSError(errno.ENOSPC, "No space left on device")


class FakeDvc:
    """Stands for dvc: keeps its calls, and answers `dvc status`."""

    def __init__(self):
        self.calls = []
        self.changed = {}
        self.failing = None

    def __call__(self, *arguments):
        self.calls.append(arguments)
        if arguments[0] == self.failing:
            raise InputError(f"dvc {self.failing} failed; its output: ERROR: unexpected")
        return json.dumps(self.changed)


@pytest.fixture(scope="module")
def results(deterministic, tmp_path_factory):
    """A folder with what a run of the pipeline leaves, committed, of a small network that was not trained."""
    folder = tmp_path_factory.mktemp("results")
    scheme = list(METADATA.emotions)
    write_params(folder, labels_scheme=scheme, features_image_size=SIZE, evaluate_flip=True, compute_threads=2)
    for name in ("models/released", "metrics/curves", "metrics/plots", "data/features", "emotion"):
        (folder / name).mkdir(parents=True)
    for name in ("confusion", "training", "images"):
        (folder / f"metrics/plots/{name}.png").write_bytes(name.encode())
    (folder / "dvc.lock").write_text(LOCK)
    (folder / "dvc.yaml").write_text(PIPELINE)
    write_history(folder, make_history())
    keras.utils.set_random_seed(1)  # whatever tests ran before
    network = registry.build("residual_small", SIZE, 1, len(METADATA.emotions))
    save_model(folder / "models/trained.keras", network, TRAINED)
    save_model(folder / "models/model.keras", network, METADATA)
    for name in ("model.onnx", "model.tflite", "model_float16.tflite", "model_int8.tflite"):
        (folder / "models" / name).write_bytes(name.encode())
    write_metrics(folder, network)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Results")
    return folder


def write_metrics(folder, network):
    generator = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        images = generator.integers(0, 256, (40, SIZE, SIZE, 1), dtype=np.uint8)
        np.save(folder / f"data/features/x_{split}.npy", images)
        np.save(folder / f"data/features/y_{split}.npy", np.arange(40, dtype=np.int32) % len(METADATA.emotions))
    probabilities = predict_probabilities(network, images, flip=True)
    # Labels that are mostly right, and not all.
    labels = np.where(np.arange(40) % 4, predicted_labels(probabilities, 0.5), 0).astype(np.int32)
    np.save(folder / "data/features/y_test.npy", labels)
    answers = SplitPredictions(labels, probabilities)
    params = load_params("evaluate", path=folder / "params.yaml").evaluate
    report = make_report(answers, answers, unique=np.arange(40) > 3, emotions=METADATA.emotions, params=params)
    write_json(folder / "metrics/evaluate.json", report)
    exported = ("keras", "tflite", "tflite_float16", "tflite_int8", "onnx")
    write_json(folder / "metrics/export.json", dict.fromkeys(exported, EXPORTED))
    predictions = tabulate_predictions(range(40), labels, probabilities, METADATA.emotions, threshold=0.5)
    write_csv(folder / "metrics/curves/predictions.csv", predictions)
    write_json(
        folder / "metrics/train.json",
        {"best_epoch": 18, "epochs": 20, "parameters": 170095, "multiply_adds": 2916976},
    )
    write_json(
        folder / "metrics/dataset.json",
        {
            "source_images": 3000,
            "rejected": 4,
            "images": {
                split: {"total": 1000} | dict.fromkeys(METADATA.emotions, 300) for split in ("train", "val", "test")
            },
            "excluded": {"total": 120, "scheme": 100, "copy_of_test": 12, "copy_of_val": 8},
            "copies": {"across": {"test_in_train": 9, "test_in_val": 2}},
            "conflicting_labels": {"groups": 5, "images": 11},
            "size": {"min_height": 20, "max_height": 90},
            "sha256": SHA256,
        },
    )


def git(folder, *arguments):
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def project(results, tmp_path, monkeypatch):
    """A copy of these results as the current folder, with the accuracy of a halved model taken as unchanged."""
    folder = tmp_path / "main"
    shutil.copytree(results, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(stored_models, "measure_accuracy", lambda path, params: figures()["test"]["accuracy"])
    return folder


@pytest.fixture
def dvc(monkeypatch):
    dvc = FakeDvc()
    monkeypatch.setattr(version_control, "run_dvc", dvc)
    return dvc


def figures():
    return read_json(Path("metrics/evaluate.json"))


def released():
    """Return dvc.yaml and every file and folder below models/released, and what the files hold."""
    return {path: path.is_file() and path.read_bytes() for path in (Path("dvc.yaml"), *RELEASED.rglob("*"))}


# --- what it writes


def test_a_release_holds_the_results_as_plain_files(project, dvc):
    printed = release("one")
    assert sorted(path.name for path in (RELEASED / "one").iterdir()) == [
        *("README.md", "confusion.png", "dataset.json", "dvc.lock", "evaluate.json", "export.json", "history.csv"),
        *MODEL_FILES,
        *("params.yaml", "train.json", "training.png"),
    ]
    assert [path.name for path in sorted(RELEASED.iterdir())] == ["one"]
    assert dvc.calls == [("status", "--json", "dvc.yaml")], "it adds and pushes nothing"
    assert printed.startswith("models/released/one: accuracy ")
    assert "float16" in printed
    assert printed.splitlines()[-1] == "Now: git add dvc.yaml models/released/one"


def test_the_stored_model_is_scored_as_it_is(project, dvc, monkeypatch):
    monkeypatch.undo()
    monkeypatch.chdir(project)
    monkeypatch.setattr(version_control, "run_dvc", dvc)
    release("one")
    model = keras.models.load_model("models/released/one/model.keras")
    kernel = next(weight for weight in model.weights if weight.path.endswith("kernel")).numpy()
    assert kernel.dtype == np.float32
    assert (kernel == np.float16(kernel)).all()
    assert load_model(RELEASED / "one/model.keras")[1] == METADATA
    probabilities = predict_probabilities(model, np.load("data/features/x_test.npy"), flip=True)
    accuracy = (predicted_labels(probabilities, 0.5) == np.load("data/features/y_test.npy")).mean()
    assert f"the accuracy on the test split is {100 * accuracy:.2f} %." in Path(RELEASED / "one/README.md").read_text()
    first = (RELEASED / "one/model.keras").read_bytes()
    release("two")
    assert (RELEASED / "two/model.keras").read_bytes() == first


@pytest.mark.parametrize("change, weights", [(0.001, "float16"), (-0.001, "float16"), (0.0011, "float32")])
def test_weights_are_not_rounded_where_that_changes_the_accuracy(project, dvc, monkeypatch, change, weights):
    monkeypatch.setattr(stored_models, "measure_accuracy", lambda path, params: figures()["test"]["accuracy"] + change)
    assert f"weights in {weights}, " in release("one")
    whole = (RELEASED / "one/model.keras").read_bytes() == Path("models/model.keras").read_bytes()
    assert whole is (weights == "float32")
    assert ("rounded to float16" in (RELEASED / "one/README.md").read_text()) is not whole


@pytest.mark.parametrize("change, chosen", [(0.001, "float16"), (-0.001, "float16"), (-0.0011, "float32")])
def test_files_for_other_runtimes_come_along(project, dvc, change, chosen):
    exported = read_json(EXPORT_METRICS)
    exported["tflite_float16"] = EXPORTED | {"accuracy": EXPORTED["accuracy"] + change}
    write_json(EXPORT_METRICS, exported)
    for name in ("mine.keras", "note.txt"):
        Path("models", name).write_bytes(b"something else")
    assert "model.onnx 0.0 MB, model.tflite 0.0 MB, model_int8.tflite 0.0 MB" in release("one")
    files = {path.name for path in (RELEASED / "one").iterdir() if path.name.startswith(("model", "mine", "note"))}
    assert files == set(MODEL_FILES)
    source = {"float16": FLOAT16_MODEL, "float32": TFLITE_MODEL}[chosen]
    assert (RELEASED / "one/model.tflite").read_bytes() == source.read_bytes()
    assert (RELEASED / "one/model_int8.tflite").read_bytes() == INT8_MODEL.read_bytes()
    assert (RELEASED / "one/model.onnx").read_bytes() == ONNX_MODEL.read_bytes()


@pytest.mark.parametrize(
    "files, names",
    [
        (["keras"], ["model.keras"]),
        (["int8", "keras"], ["model.keras", "model_int8.tflite"]),
        (["int8"], ["model_int8.tflite"]),
        (["onnx"], ["model.onnx"]),
    ],
)
def test_some_files_can_be_left_out(project, dvc, files, names):
    printed = release("one", files=files)
    assert sorted(path.name for path in (RELEASED / "one").glob("model*")) == names
    card = (RELEASED / "one/README.md").read_text(encoding="utf-8")
    assert [name for name in MODEL_FILES if f"models/released/one/{name}" in card] == names
    entry = read_yaml(Path("dvc.yaml"))["artifacts"]["one"]
    assert entry["path"] == f"models/released/one/{names[0]}"
    assert entry["labels"][1] == names[0].partition(".")[2]
    assert ("float16" in printed, "float16" in card, "import keras" in card) == 3 * ("keras" in files,)


def test_every_release_is_an_artifact(project, dvc):
    for name in ("two", "one"):
        release(name)
    before = Path("dvc.yaml").read_text(encoding="utf-8")
    assert before.startswith(PIPELINE), "the rest is as it was, comments and all"
    artifacts = read_yaml(Path("dvc.yaml"))["artifacts"]
    assert list(artifacts) == ["model", "two", "one"]
    one = artifacts["one"]
    assert (one["path"], one["type"]) == ("models/released/one/model.keras", "model")
    assert one["labels"] == ["facial-emotion-recognition", "keras", "custom"]
    assert all(word in one["desc"] for word in (*METADATA.emotions, "Custom images", "residual"))
    release("one", overwrite=True)
    assert Path("dvc.yaml").read_text(encoding="utf-8") == before


def test_a_pipeline_without_artifacts_gets_them(project, dvc):
    Path("dvc.yaml").write_text("stages: {}\n", encoding="utf-8")
    release("one")
    assert list(read_yaml(Path("dvc.yaml"))["artifacts"]) == ["one"]


def test_the_time_that_training_took_is_kept_where_it_is_of_this_model(project, dvc):
    md5 = hashlib.md5(TRAINED_MODEL.read_bytes()).hexdigest()
    machine = {"processor": "A Processor", "threads": 2, "accelerator": None, "backend": "tensorflow"}
    time = {"md5": md5, "seconds": 3300} | machine
    write_json(TRAINING_TIME, time)
    assert "training time" not in release("one")
    assert read_json(RELEASED / "one/time.json") == time
    sentence = "Training took 55 minutes, with tensorflow on 2 threads of A Processor."
    assert sentence in (RELEASED / "one/README.md").read_text(encoding="utf-8")
    write_json(TRAINING_TIME, time | {"md5": "that of another model"})
    assert "\ntraining time: not known" in release("two")
    assert not (RELEASED / "two/time.json").exists()
    card = (RELEASED / "two/README.md").read_text(encoding="utf-8")
    assert "Training took" not in card
    assert "\nTraining time: not known" in card


def test_the_times_of_the_files_are_kept_where_they_are_of_this_model(project, dvc):
    md5 = hashlib.md5(MODEL.read_bytes()).hexdigest()
    times = {"md5": md5, "processor": "A Processor", "threads": 1, "milliseconds_a_face": {"keras": 12.34, "tflite": 5}}
    write_json(EXPORT_TIME, times)
    assert "milliseconds a face" not in release("one")
    assert read_json(RELEASED / "one/export_time.json") == times
    assert "12.3" in (RELEASED / "one/README.md").read_text(encoding="utf-8")
    write_json(EXPORT_TIME, times | {"md5": hashlib.md5(TRAINED_MODEL.read_bytes()).hexdigest()})
    assert "\nmilliseconds a face: not known" in release("two")
    assert not (RELEASED / "two/export_time.json").exists()
    card = (RELEASED / "two/README.md").read_text(encoding="utf-8")
    assert "12.3" not in card
    assert "\nMilliseconds a face: not known" in card


# --- the card


def test_the_card_states_the_figures(project, dvc):
    release("one")
    card = (RELEASED / "one/README.md").read_text(encoding="utf-8")
    assert "\n# one\n" in card
    test, alone, by_class = (figures()[name] for name in ("test", "test_unique", "by_class"))
    interval = [f"{100 * test[f'accuracy_{end}']:.1f}" for end in ("low", "high")]
    cell = f"{100 * test['accuracy']:.1f} % ({interval[0]} to {interval[1]})"
    assert f"| accuracy | {cell} | {100 * alone['accuracy']:.1f} % (" in card
    error = f"{test['calibrated_expected_calibration_error']:.3f}"
    assert f"| expected calibration error with the temperature | {error} |" in card
    assert "| test split, 40 images | those that stand nowhere else, 36 |" in card
    precisions = {name: number(row["precision"]) for name, row in by_class.items()}
    assert all(f"| {name} | {precision} |" in card for name, precision in precisions.items())
    for text in (
        "happy, sad, neutral",
        "170,095 parameters, 2.9 million multiply-adds",
        "18 of 20",
        "| train.seed | 2013 |",
        f"`{MD5}`",
        f"`{SHA256}`",
        " is taken for ",
        "3,000 images, of which 1,000 training, 1,000 validation, 1,000 test.\nLeft out: 20 as copies",
        f"Commit of the code: `{git(project, 'rev-parse', 'HEAD')}`.",
        'keras.models.load_model("models/released/one/model.keras")',
        "uint8 (n, 24, 24, 1)",
        "An expression is not a feeling.",
        "Article 5(1)(f) of the EU AI Act",
        "(confusion.png)",
    ):
        assert text in card, text


def test_the_card_names_changes_of_the_code_that_were_not_committed(project, dvc):
    for file in ("emotion/training/loop.py", "emotion/app/release/release.py"):
        (project / file).parent.mkdir(parents=True)
        (project / file).write_text("changed")
    release("one")
    card = (RELEASED / "one/README.md").read_text()
    assert "`, and changes that were not committed, in emotion/training/loop.py." in card


# --- what it refuses, with nothing written


def refused(match, name="one", **options):
    before = released()
    with pytest.raises(InputError, match=match):
        release(name, **options)
    assert released() == before


@pytest.mark.parametrize(
    "name", ["FER2013", "", "-one", "a b", "../one", "one/two", "émotion", "one\n", "one.two", "one-"]
)
def test_other_names_are_refused(project, dvc, name):
    refused(rf"NAME: got {re.escape(repr(name))}, expected lowercase letters, digits and '-'.*fer2013-large", name)


def test_other_files_are_refused(project, dvc):
    with pytest.raises(InputError, match="--files: got 'h5', expected some of keras, tflite, int8, onnx"):
        release("one", files=["int8", "h5"])
    with pytest.raises(InputError, match="--files: got 'nothing', expected some of keras"):
        release("one", files=[])


def test_a_release_that_exists_is_left_alone(project, dvc):
    release("one")
    refused(r"models/released/one exists already; .*--overwrite")


def test_a_pipeline_that_is_not_up_to_date_is_refused(project, dvc):
    dvc.changed = {"train": [{"changed deps": {}}], "plot": []}
    refused(r"not up to date: plot, train changed .*`dvc repro`")
    assert dvc.calls == [("status", "--json", "dvc.yaml")]


@pytest.mark.parametrize("file", ["models/model.keras", "metrics/evaluate.json", "metrics/live"])
def test_missing_results_are_named(project, dvc, file):
    Path(file).rename("elsewhere")
    refused(rf"missing: {file}\b.*`dvc repro`")


def test_a_folder_without_git_is_refused(project, dvc):
    shutil.rmtree(".git")
    refused(r"not a git repository.*git clone that has a commit")


def test_a_missing_git_is_explained(project, dvc, monkeypatch):
    monkeypatch.setenv("PATH", "")
    refused("git was not found.*install it.*PATH")


def test_a_lock_that_does_not_name_the_source_is_refused(project, dvc):
    Path("dvc.lock").write_text("schema: '2.0'\n")
    refused(r"dvc.lock does not say what data/raw \(source.folder\) held")


def test_the_name_of_another_artifact_is_refused(project, dvc):
    refused(r"NAME: got 'model', .*dvc\.yaml .*models/model\.keras; choose another name", "model")


@pytest.mark.parametrize("owner, full", [(shutil, "copyfile"), (YAML, "dump")])
def test_a_full_disk_leaves_nothing_half_written(project, dvc, monkeypatch, owner, full):
    def fail(*_):
        raise NO_ROOM

    monkeypatch.setattr(owner, full, fail)
    refused("models/released/one .*No space left on device.*nothing was released.*space")


# --- replacing


def test_replacing_brings_the_new_release(project, dvc):
    release("one")
    (RELEASED / "one/model.h5").write_text("of before")
    (RELEASED / "one/README.md").write_text("of before")
    release("one", overwrite=True)
    assert not (RELEASED / "one/model.h5").exists()
    assert (RELEASED / "one/README.md").read_text().startswith("---\n")
    assert [path.name for path in sorted(RELEASED.iterdir())] == ["one"]


def test_the_old_release_stays_until_the_new_one_is_whole(project, dvc):
    release("one")
    (RELEASED / "one/README.md").write_text("of before")
    dvc.failing = "status"
    refused("dvc status failed", overwrite=True)


def test_an_interruption_brings_the_old_release_back(project, dvc, monkeypatch):
    rename = Path.rename

    def interrupt(path, target):
        if path.name == ".new":
            raise KeyboardInterrupt
        return rename(path, target)

    release("one")
    (RELEASED / "one/README.md").write_text("of before")
    before = released()
    monkeypatch.setattr(Path, "rename", interrupt)
    with pytest.raises(KeyboardInterrupt):
        release("one", overwrite=True)
    assert released() == before


def test_what_a_killed_run_left_is_removed(project, dvc):
    with atomic_folder(RELEASED / "other") as running:
        name = running.parent.name.replace(f"-{os.getpid()}-", "-99999999-")
    leftover = RELEASED / name / ".new"
    leftover.mkdir(parents=True)
    with atomic_folder(RELEASED / "other") as running:
        release("one")
        assert running.is_dir()
    assert not leftover.parent.exists()


# --- the command


def test_the_command_prints_where_the_release_is(project, dvc, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["emotion", "release", "one"])
    cli.main()
    assert capsys.readouterr().out.startswith("models/released/one: accuracy ")
    monkeypatch.setattr(sys, "argv", ["emotion", "release", "one"])
    with pytest.raises(SystemExit, match=r"error: models/released/one exists.*--overwrite"):
        cli.main()
    monkeypatch.setattr(sys, "argv", ["emotion", "release", "one", "--overwrite", "--files", "keras", "int8"])
    cli.main()
    assert not (RELEASED / "one/model.onnx").exists()


def test_what_a_failing_dvc_says_is_shown(tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "ERROR: $*" >&2\nexit 1\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(InputError, match=r"dvc status failed.*ERROR: -m dvc status one"):
        run_dvc("status", "one")
