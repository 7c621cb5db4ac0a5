"""What is committed: dvc.lock belongs to the tree, and the store in the repository holds what it names."""

import pytest

from tests.pipeline.project import ROOT, cached_outputs, checksums, clone, stored

pytestmark = [
    pytest.mark.skipif(not (ROOT / "dvc.lock").exists(), reason="dvc.lock is not made yet: run `dvc repro`"),
    pytest.mark.pipeline,
]


@pytest.fixture(scope="module")
def fresh(origin, tmp_path_factory):
    return clone(origin, tmp_path_factory.mktemp("fresh") / "main")


def test_the_lock_is_true(fresh):
    output = fresh.dvc("repro", "--allow-missing", "--dry")
    assert "Running stage" not in output, "dvc.lock is not of this tree: run `dvc repro` and commit what it changes"
    assert "Data and pipelines are up to date." in output


def test_pull_brings_everything_with_nothing_to_configure(fresh):
    fresh.dvc("pull")
    assert fresh.status() == {}
    assert fresh.git("status", "--porcelain") == ""
    assert fresh.repro() == []


def test_a_released_model_comes_along_and_loads(fresh):
    fresh.dvc("pull")
    code = "import keras; print(keras.models.load_model('models/released/photo/model.keras').count_params())"
    assert "5628839" in fresh.run("python", "-c", code)


def test_single_files_can_be_had_without_a_clone(origin, tmp_path):
    origin.dvc("get", str(origin.path), "models/model.keras", "--out", str(tmp_path / "model.keras"))
    assert (tmp_path / "model.keras").read_bytes().startswith(b"PK")


@pytest.mark.slow
def test_line_ends_of_windows_change_nothing(origin, tmp_path):
    windows = clone(origin, tmp_path / "main", "--config", "core.autocrlf=true")
    assert "\r" not in (windows.path / "stages/train.py").read_bytes().decode()
    windows.dvc("pull")
    assert windows.status() == {}


def test_the_store_has_nothing_that_nothing_names(fresh):
    fresh.dvc("pull")
    unused = stored(fresh) - checksums(fresh, *cached_outputs(fresh.path))
    assert unused == set(), "left over from earlier runs: remove store/files and run `dvc push`"
