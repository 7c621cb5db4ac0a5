"""A model in another file format gives the same probabilities, and still has its metadata."""

import h5py
import keras
import numpy as np
import pytest

from emotion.app import cli
from emotion.app.convert import SUFFIXES
from emotion.core.errors import InputError
from emotion.core.metadata import ModelMetadata, read_metadata
from emotion.model_files.keras_file import save_model
from emotion.networks import registry
from emotion.runtimes.conversion import WRITERS, convert
from emotion.runtimes.engines import load_engine

pytestmark = pytest.mark.tf

METADATA = ModelMetadata(("happy", "sad", "neutral"), 24, "grayscale", flip=True, temperature=1.25, margin=0.1)


@pytest.fixture(scope="module")
def folder(deterministic, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    network = registry.build("residual_small", 24, 1, 3)
    save_model(folder / "model.keras", network, METADATA)
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
        assert read_metadata(file.attrs["emotion.json"], "model.h5") == METADATA


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_a_file_for_another_runtime_gives_the_same_and_has_the_metadata(folder, suffix, capfd):
    convert(folder / "model.keras", folder / f"model{suffix}")
    assert capfd.readouterr() == ("", "")
    images = np.random.default_rng(0).integers(0, 256, (4, 24, 24, 1), dtype=np.uint8)
    first, second = (load_engine(folder / f"model{kind}", threads=1) for kind in (".keras", suffix))
    assert first.metadata == second.metadata == METADATA
    probabilities, converted = (engine.predict(images, batch_size=4, verbose=0) for engine in (first, second))
    assert np.abs(probabilities - converted).max() < 1e-4


def test_the_command_takes_the_formats_that_there_are():
    assert set(SUFFIXES) == set(WRITERS)


def test_what_is_no_model_leaves_no_file(folder):
    (folder / "broken.keras").write_text("no model")
    with pytest.raises(InputError, match=r"broken\.keras cannot be loaded"):
        convert(folder / "broken.keras", folder / "broken.h5")
    assert not (folder / "broken.h5").exists()
