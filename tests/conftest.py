"""What tests of several modules share."""

import re
import signal
import sys
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says more of the machine than of the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# `make test-slow` runs the fuzz tests with this one.
settings.register_profile("many", settings.get_profile("unhurried"), max_examples=3000)
settings.load_profile("unhurried")

if TYPE_CHECKING:
    from fsspec.implementations.memory import MemoryFileSystem

    from emotion.inference.predictor import Predictor
    from tests.stores import S3


OTHER_KINDS = ("medium", "tf", "pipeline", "browser", "fer2013")
WHOLE_FILE = re.compile(rf"^pytestmark = .*pytest\.mark\.({'|'.join(OTHER_KINDS)})\b", re.MULTILINE)
LOADED_BEFORE = pytest.StashKey[bool]()


def pytest_configure() -> None:
    """Have tests and what they start take Ctrl-C, which shells turn off for processes in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the files without unit tests out where those are wanted: to import them takes seconds."""
    if not config.option.markexpr.startswith("unit") or collection_path.suffix != ".py":
        return None
    return True if WHOLE_FILE.search(collection_path.read_text(encoding="utf-8")) else None


@pytest.hookimpl(tryfirst=True)  # before pytest selects tests by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `unit` what has no other kind, and put the longest file outside tests/pipeline first.

    As one of the last files it left the other worker idle.
    """
    for item in items:
        if not any(item.get_closest_marker(name) for name in OTHER_KINDS):
            item.add_marker(pytest.mark.unit)
    items.sort(key=lambda item: item.path.name != "test_loop.py")


@pytest.fixture(autouse=True)
def alone_at_first() -> Iterator[None]:
    """Have no cluster at first, and undo what --cluster sets in this process: later tests would look for that one."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("EMOTION_SCHEDULER", "")
        yield


@cache
def set_up_keras() -> None:
    """Set Keras up as the stages do, once a process: TensorFlow takes its number of threads only at its start."""
    from emotion.model_files.keras_setup import set_up

    set_up(threads=2, seed=1)


@pytest.hookimpl(tryfirst=True)  # before the fixtures of the test, some of which train a network
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Set Keras up before a test that is marked `tf`, and no sooner: this takes seconds."""
    if item.get_closest_marker("tf"):
        set_up_keras()
    item.stash[LOADED_BEFORE] = "tensorflow" in sys.modules


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Fail a unit test that loads TensorFlow, which `make test-quick` has no time for."""
    loads_it = "tensorflow" in sys.modules and not item.stash.get(LOADED_BEFORE, True)
    if item.get_closest_marker("unit") and loads_it:
        pytest.fail("This test loads TensorFlow. Mark it with `@pytest.mark.tf`, or the file with `pytestmark`.")


@pytest.fixture(scope="session")
def deterministic() -> None:
    """Keras as the stages set it up, for fixtures that need it."""
    set_up_keras()


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
def without_pyav(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An environment in which PyAV, of the extra [video], is not installed."""
    from emotion.inference.codecs.choice import has_pyav

    monkeypatch.setitem(sys.modules, "av", None)
    has_pyav.cache_clear()
    yield
    has_pyav.cache_clear()


@pytest.fixture(params=["pyav", "opencv"])
def codecs(request: pytest.FixtureRequest) -> str:
    """The library that reads and writes videos."""
    if request.param == "opencv":
        request.getfixturevalue("without_pyav")
    else:
        pytest.importorskip("av", reason="PyAV, of the extra [video], is not installed")
    return str(request.param)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> "MemoryFileSystem":
    """An empty store of fsspec in memory, at memory://."""
    from fsspec.implementations.memory import MemoryFileSystem

    from emotion.core.stores import BACKENDS, Backend

    monkeypatch.setitem(BACKENDS, "memory", Backend("memory", "fsspec", configuration="nowhere"))
    monkeypatch.setattr(MemoryFileSystem, "store", {})
    monkeypatch.setattr(MemoryFileSystem, "pseudo_dirs", [""])
    return MemoryFileSystem()


@pytest.fixture(scope="session")
def s3_server() -> Iterator["S3"]:
    """A server of S3 on this machine."""
    from tests.stores import serve_s3

    with serve_s3() as store:
        yield store


@pytest.fixture
def s3(s3_server: "S3", monkeypatch: pytest.MonkeyPatch) -> "S3":
    """That server, with nothing in its bucket, and the environment that leads to it."""
    from emotion.core.stores import _open_system

    for item in s3_server.client.list_objects_v2(Bucket="faces").get("Contents", []):
        s3_server.client.delete_object(Bucket="faces", Key=item["Key"])
    for name, value in s3_server.variables.items():
        monkeypatch.setenv(name, value)
    _open_system.cache_clear()  # it may know another server
    s3_server.requests.clear()
    return s3_server
