"""What tests of several modules share."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says more of the machine than of the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

if TYPE_CHECKING:
    from emotion.inference.predictor import Predictor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest file outside tests/pipeline: as one of the last it left the other worker idle."""
    items.sort(key=lambda item: item.path.name != "test_loop.py")


@pytest.fixture(scope="session", autouse=True)
def deterministic():
    """Keras as the stages set it up, before any test: TensorFlow takes its number of threads once a process."""
    from emotion.model_files.keras_setup import set_up

    set_up(threads=2, seed=1)


@pytest.fixture
def tiny(monkeypatch) -> str:
    """The name of an architecture of one residual block, for what is the same with all: TensorFlow traces it sooner."""
    from emotion.networks.registry import ANY_SIZE, ARCHITECTURES
    from emotion.networks.residual import build_residual

    name = "tiny"
    build = partial(build_residual, stem=16, widths=(16,), name=name)
    monkeypatch.setitem(ARCHITECTURES, name, build)
    monkeypatch.setattr("emotion.networks.registry.ANY_SIZE", ANY_SIZE | {name})
    return name


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """NASA's portrait of Eileen Collins: a photo with one face, happy; RGB, uint8 (512, 512, 3)."""
    photo: np.ndarray = pytest.importorskip("skimage.data", reason="scikit-image has the photo").astronaut()
    photo.flags.writeable = False
    return photo


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    """A small model file with random weights, which needs no TensorFlow."""
    from tests.makers import write_onnx

    return write_onnx(tmp_path_factory.mktemp("model") / "model.onnx")


@pytest.fixture(scope="session")
def predictor(model) -> "Predictor":
    """What reads with that model, and looks for faces as it says."""
    from emotion.inference.predictor import Predictor

    return Predictor(model)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
