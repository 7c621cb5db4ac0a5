"""A model file loads without this project, carries its labels, and is the same bytes each time."""

import keras
import numpy as np
import pytest

from emotion import architectures
from emotion.errors import InputError
from emotion.model_file import ModelForm, load_model, save_model

FORM = ModelForm(("happy", "sad"), 24, "grey")


@pytest.fixture(scope="module")
def model(deterministic):
    return architectures.build("residual_small", 24, 1, 2)


@pytest.fixture(scope="module")
def path(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.keras"
    save_model(path, model, FORM)
    return path


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (4, 24, 24, 1), dtype=np.uint8)


def test_labels_and_form_come_back_with_the_model(path, model, images):
    loaded, form = load_model(path)
    assert form == FORM
    assert (loaded.predict(images, verbose=0) == model.predict(images, verbose=0)).all()


def test_plain_keras_loads_it(path, model, images):
    loaded = keras.models.load_model(path)
    assert (loaded.predict(images, verbose=0) == model.predict(images, verbose=0)).all()


def test_two_saves_are_the_same_bytes(path, model, tmp_path):
    save_model(tmp_path / "again.keras", model, FORM)
    assert (tmp_path / "again.keras").read_bytes() == path.read_bytes()


def test_a_failed_save_keeps_the_old_file(path):
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        save_model(path, None, FORM)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_missing_file_is_an_error_that_says_how_to_make_it(tmp_path):
    with pytest.raises(InputError, match="dvc repro train"):
        load_model(tmp_path / "model.keras")


def test_a_file_that_is_no_model_is_an_error(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"no model")
    with pytest.raises(InputError, match="cannot be loaded as a model"):
        load_model(path)


def test_a_keras_file_without_labels_is_an_error(model, tmp_path):
    path = tmp_path / "model.keras"
    model.save(path)
    with pytest.raises(InputError, match="does not say which emotions"):
        load_model(path)


def test_a_model_that_would_run_code_on_loading_is_refused(tmp_path):
    evil = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)])
    path = tmp_path / "evil.keras"
    save_model(path, evil, FORM)
    with pytest.raises(InputError, match="cannot be loaded as a model"):
        load_model(path)
