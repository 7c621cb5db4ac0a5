"""A model file loads without this project, carries its labels, and is the same bytes each time."""

import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.core.metadata import ModelMetadata
from emotion.model_files.keras_file import WEIGHTS_MEMBER, halve_weights, load_model, save_model
from emotion.model_files.remedies import EXAMPLE
from emotion.networks import registry

pytestmark = pytest.mark.tf

METADATA = ModelMetadata(("happy", "sad"), 24, "grayscale")


@pytest.fixture(scope="module")
def model(deterministic):
    return registry.build("residual_small", 24, 1, 2)


@pytest.fixture(scope="module")
def path(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.keras"
    save_model(path, model, METADATA)
    return path


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (4, 24, 24, 1), dtype=np.uint8)


def test_labels_and_metadata_come_back_with_the_model(path, model, images):
    loaded, metadata = load_model(path)
    assert metadata == METADATA
    assert (loaded.predict(images, verbose=0) == model.predict(images, verbose=0)).all()


def test_plain_keras_loads_it(path, model, images):
    loaded = keras.models.load_model(path)
    assert (loaded.predict(images, verbose=0) == model.predict(images, verbose=0)).all()


def test_every_field_of_the_metadata_comes_back(model, tmp_path):
    metadata = ModelMetadata(("happy", "sad"), 24, "grayscale", True, 1.23456, 0.4, "cascade", -0.1, 33)
    save_model(tmp_path / "model.keras", model, metadata)
    halve_weights(tmp_path / "model.keras", tmp_path / "halved.keras")
    assert load_model(tmp_path / "model.keras")[1] == load_model(tmp_path / "halved.keras")[1] == metadata


def test_two_saves_are_the_same_bytes(path, model, tmp_path):
    save_model(tmp_path / "again.keras", model, METADATA)
    assert (tmp_path / "again.keras").read_bytes() == path.read_bytes()


def test_a_failed_save_keeps_the_old_file(path):
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        save_model(path, None, METADATA)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_missing_file_is_an_error_that_says_how_to_make_it(tmp_path):
    with pytest.raises(
        InputError, match=r"models/model\.keras is missing; .*`dvc repro`.*`dvc pull .*models/model\.keras`"
    ):
        load_model(tmp_path / "models/model.keras")


def test_a_missing_release_is_restored_by_git(tmp_path):
    path = tmp_path / "models/released/one/model.keras"
    with pytest.raises(InputError, match=rf"{path} is missing; .*`git checkout -- {path}`"):
        load_model(path)


def test_another_missing_file_is_answered_by_one_that_exists(tmp_path):
    with pytest.raises(InputError, match=rf"other\.keras is missing; .*{EXAMPLE}"):
        load_model(tmp_path / "other.keras")
    assert Path(EXAMPLE).is_file()


def test_a_file_that_is_no_model_is_an_error(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"no model")
    with pytest.raises(InputError, match=r"model\.keras cannot be loaded .*models/released/"):
        load_model(path)


def test_a_keras_file_without_labels_is_an_error(model, tmp_path):
    path = tmp_path / "model.keras"
    model.save(path)
    with pytest.raises(InputError, match=r"model\.keras .*metadata.*models/released/"):
        load_model(path)


def test_a_model_that_would_run_code_on_loading_is_refused(tmp_path):
    evil = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)])
    path = tmp_path / "evil.keras"
    save_model(path, evil, METADATA)
    with pytest.raises(InputError, match=r"evil\.keras is refused.*keras\.layers\.Lambda"):
        load_model(path)


# --- weights in float16


@pytest.fixture(scope="module")
def halved(path, tmp_path_factory):
    halved = tmp_path_factory.mktemp("halved") / "model.keras"
    halve_weights(path, halved)
    return halved


def test_halved_weights_are_computed_with_in_float32(path, halved, images):
    model, metadata = load_model(path)
    assert load_model(halved)[1] == metadata
    plain = keras.models.load_model(halved)
    assert {weight.dtype for weight in plain.weights} == {weight.dtype for weight in model.weights} >= {"float32"}
    for weight, whole in zip(plain.weights, model.weights, strict=True):
        rounded = np.float16(whole.numpy()) if whole.dtype == "float32" else whole.numpy()
        assert (weight.numpy() == rounded).all(), whole.path
    np.testing.assert_allclose(plain.predict(images, verbose=0), model.predict(images, verbose=0), atol=0.01)


def test_halved_weights_take_half_the_bytes(path, halved):
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(halved) as half:
        assert whole.namelist() == half.namelist()
        saved = whole.getinfo(WEIGHTS_MEMBER).file_size - half.getinfo(WEIGHTS_MEMBER).file_size
    assert saved > load_model(path)[0].count_params() * 1.9


def test_halving_twice_gives_the_same_bytes(path, halved, tmp_path):
    halve_weights(path, tmp_path / "again.keras")
    assert (tmp_path / "again.keras").read_bytes() == halved.read_bytes()
    halve_weights(halved, tmp_path / "quarter.keras")
    assert (tmp_path / "quarter.keras").read_bytes() == halved.read_bytes()


def test_weights_that_float16_cannot_hold_stay_as_they_are(tmp_path):
    layers = [keras.Input((2,)), keras.layers.Dense(2), keras.layers.Dropout(0.5), keras.layers.Dense(2)]
    network = keras.Sequential(layers)
    kernel = np.array([[70000, 1e-3], [1, 2]], np.float32)
    layers[1].set_weights([kernel, np.zeros(2)])
    save_model(tmp_path / "large.keras", network, METADATA)
    halve_weights(tmp_path / "large.keras", tmp_path / "halved.keras")
    halved, _ = load_model(tmp_path / "halved.keras")
    assert (halved.layers[0].get_weights()[0] == kernel).all()
    assert (halved.layers[2].get_weights()[0] == np.float16(layers[3].get_weights()[0])).all()


def test_what_is_no_keras_file_cannot_be_halved(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"model\.keras cannot be read .*models/released/"):
        halve_weights(tmp_path / "model.keras", tmp_path / "halved.keras")
    assert not (tmp_path / "halved.keras").exists()
