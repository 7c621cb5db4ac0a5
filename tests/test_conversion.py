"""A model in another form gives the same probabilities, and still says which emotions they are of."""

import json

import h5py
import keras
import numpy as np
import pytest

from emotion import architectures
from emotion.app import cli
from emotion.conversion import convert
from emotion.errors import InputError
from emotion.model_file import save_model
from emotion.model_form import ModelForm


@pytest.fixture(scope="module")
def folder(deterministic, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    network = architectures.build("residual_small", 24, 1, 3)
    save_model(folder / "model.keras", network, ModelForm(("happy", "sad", "neutral"), 24, "grey"))
    return folder


def test_an_h5_file_loads_in_plain_keras_and_names_its_emotions(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["emotion", "convert", "model.keras", "model.h5"])
    cli.main()
    printed = capsys.readouterr()
    assert printed.out.startswith("model.h5: ")
    assert not printed.err
    images = np.random.default_rng(0).integers(0, 256, (4, 24, 24, 1), dtype=np.uint8)
    first, second = (keras.models.load_model(folder / f"model.{suffix}", compile=False) for suffix in ("keras", "h5"))
    assert (first.predict(images, verbose=0) == second.predict(images, verbose=0)).all()
    with h5py.File(folder / "model.h5") as file:
        form = json.loads(file.attrs["emotion.json"])
    assert form == {"emotions": ["happy", "sad", "neutral"], "size": 24, "color": "grey"}


def test_a_file_that_exists_is_left_alone(folder):
    (folder / "mine.h5").write_text("mine")
    with pytest.raises(InputError, match=r"mine.h5 exists already"):
        convert(folder / "model.keras", folder / "mine.h5")
    assert (folder / "mine.h5").read_text() == "mine"


def test_an_unknown_form_is_refused(folder):
    with pytest.raises(InputError, match=r"model.pb: expected a name that ends in .h5"):
        convert(folder / "model.keras", folder / "model.pb")


def test_what_is_no_model_leaves_no_file(folder):
    (folder / "broken.keras").write_text("no model")
    with pytest.raises(InputError, match="cannot be loaded"):
        convert(folder / "broken.keras", folder / "broken.h5")
    assert not (folder / "broken.h5").exists()
