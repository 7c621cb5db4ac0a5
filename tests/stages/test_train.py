"""The train stage, on a few random images: what it writes, and what it must not read."""

import hashlib
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from emotion.core.errors import InputError
from emotion.core.labels import resolve_scheme
from emotion.core.metadata import ModelMetadata
from emotion.core.params import read_yaml
from emotion.core.paths import (
    CHECKPOINTS,
    FEATURES,
    PRETRAINED_MODELS,
    TRAINED_MODEL,
    TRAINING_METRICS,
    TRAINING_TIME,
)
from emotion.data.feature_arrays import ARRAYS
from emotion.model_files.keras_file import load_model, save_model
from emotion.plots.history import read_history

pytestmark = pytest.mark.tf

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch, deterministic, tiny):
    """A working directory with params for a short training and features of random images."""
    params = read_yaml(ROOT / "params.yaml")
    params["train"] |= {"architecture": tiny, "epochs": 2, "warmup": 0.0, "batch_size": 16}
    text = io.StringIO()
    YAML().dump(params, text)
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(text.getvalue(), encoding="utf-8")
    FEATURES.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for name in ARRAYS:
        images = generator.integers(0, 256, (21, 24, 24, 1), dtype=np.uint8)
        np.save(FEATURES / f"{name}.npy", images if name.startswith("x") else (np.arange(21) % 7).astype(np.int32))
    return tmp_path


def run(monkeypatch):
    """Run the stage and return the bytes of the model; threads are set once a process, by `deterministic`."""
    import keras

    from emotion.model_files import keras_setup
    from stages import train

    monkeypatch.setattr(keras_setup, "set_up", lambda threads, seed: None)
    keras.utils.clear_session()  # layers get the names that they have in a process of their own
    train.main()
    return TRAINED_MODEL.read_bytes()


def poison(name):
    array = np.load(FEATURES / f"{name}.npy")
    np.save(FEATURES / f"{name}.npy", array[::-1].copy())


def test_the_stage_writes_model_history_and_metrics(project, monkeypatch):
    set_params(train={"architecture": "residual_small"})
    run(monkeypatch)
    model, metadata = load_model(TRAINED_MODEL)
    assert (metadata.size, metadata.color, len(metadata.emotions)) == (24, "grayscale", 7)
    assert model.input_shape == (None, 24, 24, 1)
    history = read_history()
    assert history["epoch"].tolist() == [1, 2]
    metrics = json.loads(TRAINING_METRICS.read_text(encoding="utf-8"))
    assert metrics["validation"]["accuracy"] == pytest.approx(history["val_accuracy"][metrics["best_epoch"] - 1])
    assert metrics["parameters"] == 171_159
    dense = 64 * 7
    assert metrics["multiply_adds"] == (12_423_616 - dense) / 4 + dense  # a quarter of the pixels of 48x48
    assert list(CHECKPOINTS.iterdir()) == [], "a checkpoint of a finished training is of no use"
    time = json.loads(TRAINING_TIME.read_text(encoding="utf-8"))
    assert time["md5"] == hashlib.md5(TRAINED_MODEL.read_bytes()).hexdigest()
    assert time["seconds"] >= 0


def test_the_test_split_plays_no_part(project, monkeypatch):
    model = run(monkeypatch)
    for name in ("x_test", "y_test"):
        poison(name)
        assert run(monkeypatch) == model  # x_test alone too: with both turned round, labels fit the images again
    clean = read_history()
    poison("y_val")
    run(monkeypatch)
    assert not read_history().equals(clean)  # so that the test above can fail


def test_a_git_repository_without_a_commit_is_refused(project):
    from stages.train import start_live

    subprocess.run(["git", "init", "--quiet"], check=True)
    Path(".dvc").mkdir()
    with pytest.raises(InputError, match=r"metrics.live.*git commit"):
        start_live()


def test_a_failed_stage_keeps_the_old_model(project, monkeypatch):
    model = run(monkeypatch)
    shutil.rmtree(FEATURES)
    with pytest.raises(ValueError, match="extract_features"):
        run(monkeypatch)
    assert TRAINED_MODEL.read_bytes() == model


def set_params(**sections):
    params = read_yaml(Path("params.yaml"))
    for section, values in sections.items():
        params[section] |= values
    text = io.StringIO()
    YAML().dump(params, text)
    Path("params.yaml").write_text(text.getvalue(), encoding="utf-8")


def test_two_emotions_give_one_unit_and_keep_their_order(project, monkeypatch):
    set_params(labels={"scheme": ["sad", "happy"]})
    for name in ("y_train", "y_val"):
        np.save(FEATURES / f"{name}.npy", (np.arange(21) % 2).astype(np.int32))
    run(monkeypatch)
    model, metadata = load_model(TRAINED_MODEL)
    assert metadata.emotions == ("sad", "happy")
    assert model.output_shape == (None, 1)


def test_a_network_of_one_unit_is_refused_under_seven_emotions(project, monkeypatch):
    set_params(train={"architecture": "conv32_64"})
    with pytest.raises(
        InputError, match=r"train.architecture: got conv32_64.*labels.scheme has 7; expected .*happy_sad"
    ):
        run(monkeypatch)
    assert not TRAINED_MODEL.exists()


@pytest.mark.parametrize(
    ("labels", "votes"),
    [
        ({"scheme": "five"}, None),
        ({"scheme": "ferplus", "targets": "votes"}, None),
        ({"scheme": "ferplus", "targets": "votes"}, (21, 7)),
        ({"scheme": "ferplus"}, (21, 8)),
    ],
)
def test_arrays_of_other_labels_are_refused(labels, votes, project, monkeypatch):
    set_params(labels=labels)
    if votes:
        np.save(FEATURES / "votes_train.npy", np.ones(votes, np.uint8))
    with pytest.raises(InputError, match=r"labels\.targets and labels\.scheme.*dvc repro extract_features"):
        run(monkeypatch)


def test_votes_of_another_scheme_are_refused(project, monkeypatch):
    set_params(labels={"targets": "votes"})
    with pytest.raises(InputError, match=r"labels.targets: got votes with labels.scheme 'seven'"):
        run(monkeypatch)


@pytest.fixture
def teacher(project):
    """A model in the place of a teacher, and params that name it."""
    import keras

    from emotion.networks.registry import build

    keras.utils.set_random_seed(5)
    PRETRAINED_MODELS.mkdir(parents=True)
    metadata = ModelMetadata(tuple(resolve_scheme("seven").emotions), 16, "grayscale")
    save_model(PRETRAINED_MODELS / "large.keras", build("tiny", 16, 1, 7), metadata)
    set_params(train={"teacher": "large.keras", "teacher_share": 0.5})
    return PRETRAINED_MODELS / "large.keras"


def test_a_teacher_changes_what_is_learnt(teacher, monkeypatch):
    """It takes images of another size than its own as well."""
    taught = run(monkeypatch)
    set_params(train={"teacher": None})
    assert run(monkeypatch) != taught


@pytest.mark.slow
def test_two_teachers_teach_something_else_than_one(teacher, monkeypatch):
    import keras

    from emotion.networks.registry import build

    taught = run(monkeypatch)
    keras.utils.set_random_seed(6)
    save_model(PRETRAINED_MODELS / "other.keras", build("tiny", 24, 1, 7), load_model(teacher)[1])
    set_params(train={"teacher": ["large.keras", "other.keras"]})
    assert run(monkeypatch) != taught


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            ModelMetadata(tuple(resolve_scheme("seven").emotions)[::-1], 16, "grayscale"),
            ".*neutral, .*expected .*angry",
        ),
        (ModelMetadata(tuple(resolve_scheme("seven").emotions), 16, "rgb"), r".*\brgb images, expected .*gray"),
    ],
)
def test_a_teacher_of_other_emotions_or_color_is_refused(changed, message, teacher, monkeypatch):
    save_model(teacher, load_model(teacher)[0], changed)
    with pytest.raises(InputError, match=rf"train\.teacher: .*large\.keras {message}"):
        run(monkeypatch)


def test_a_teacher_that_is_not_there_is_refused(teacher, monkeypatch):
    set_params(train={"teacher": ["large.keras", "other.keras"]})
    released = Path("models/released/large/model.keras")
    released.parent.mkdir(parents=True)
    teacher.rename(released)
    with pytest.raises(InputError, match=r"train\.teacher: got large\.keras, other\.keras\b.*null") as error:
        run(monkeypatch)
    assert re.findall(r"^ +cp (\S+) (\S+)$", str(error.value), re.MULTILINE) == [
        (str(released), str(teacher)),
        ("models/released/NAME/model.keras", "models/pretrained/other.keras"),
    ]


def test_a_teacher_without_a_share_is_refused(teacher, monkeypatch):
    set_params(train={"teacher_share": 0.0})
    with pytest.raises(InputError, match=r"train\.teacher_share: got 0\b.*train\.teacher\b"):
        run(monkeypatch)


def test_a_teacher_elsewhere_is_refused(teacher, monkeypatch):
    """Stage train would not run again when it changed."""
    set_params(train={"teacher": "../released/photo/model.keras"})
    with pytest.raises(
        InputError, match=r"train\.teacher: got \.\./released.*, expected the name of a file in models/pretrained"
    ):
        run(monkeypatch)


@pytest.mark.slow
def test_a_training_starts_from_a_model_of_other_emotions_and_size(teacher, monkeypatch):
    anew = run(monkeypatch)
    set_params(train={"teacher": None, "teacher_share": 0.0, "init_from": "large.keras"})
    started = run(monkeypatch)
    model, metadata = load_model(teacher)
    save_model(teacher, model, ModelMetadata(metadata.emotions[::-1], metadata.size, metadata.color))
    assert len({anew, started, run(monkeypatch)}) == 3


def test_a_start_that_does_not_fit_is_refused(teacher, monkeypatch):
    set_params(train={"init_from": "large.keras", "architecture": "mini_xception"})
    with pytest.raises(InputError, match=r"train\.init_from: .*large\.keras .*train\.architecture mini_xception"):
        run(monkeypatch)
    model, metadata = load_model(teacher)
    save_model(teacher, model, ModelMetadata(metadata.emotions, metadata.size, "rgb"))
    set_params(train={"teacher": None, "teacher_share": 0.0})
    with pytest.raises(InputError, match=r"train\.init_from: .*large\.keras .*\brgb images, expected .*gray"):
        run(monkeypatch)
    teacher.unlink()
    with pytest.raises(InputError, match=r"train\.init_from: got large\.keras\b.*null(.|\n)*cp .*/large\.keras"):
        run(monkeypatch)


def break_in_the_second_epoch(monkeypatch):
    """Have targets that hold no numbers from the second epoch on."""
    from emotion.training import loop
    from emotion.training.input_pipeline import epoch_dataset

    def broken_dataset(targets, epoch, params):
        if epoch == 1:
            targets = replace(targets, train=np.full_like(targets.train, np.nan))
        return epoch_dataset(targets, epoch, params)

    monkeypatch.setattr(loop, "epoch_dataset", broken_dataset)


def test_a_training_that_breaks_leaves_its_best_epoch(project, monkeypatch):
    from stages.train import LAST_GOOD_MODEL

    break_in_the_second_epoch(monkeypatch)
    with pytest.raises(InputError, match=r"epoch 2, step 1\b.*last_good"):
        run(monkeypatch)
    assert load_model(LAST_GOOD_MODEL)[1].size == 24
    assert not TRAINED_MODEL.exists()


@pytest.mark.parametrize("first", [True, False])
def test_ranks_of_a_training_that_breaks_wait_for_the_first_one_to_write(project, monkeypatch, first):
    from emotion.training import distribution
    from stages.train import LAST_GOOD_MODEL

    written = []
    break_in_the_second_epoch(monkeypatch)
    monkeypatch.setattr(distribution, "is_first", lambda: first)
    monkeypatch.setattr(distribution, "wait_for_all", lambda: written.append(LAST_GOOD_MODEL.exists()))
    with pytest.raises(InputError, match=r"epoch 2, step 1\b.*last_good"):
        run(monkeypatch)
    assert written == [first]
