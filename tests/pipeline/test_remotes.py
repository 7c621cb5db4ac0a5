"""Where DVC sends what: the store in the repository, from every revision, and data that may not be shared."""

import shutil
from pathlib import Path

import pytest

from tests.pipeline.project import OTHER_MODEL, cached_outputs, checksums, clone, set_up, share, stored

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]


@pytest.fixture
def outside(project):
    """Fail where a test wrote beside the clone or at the root of the file system, and remove what it wrote there."""
    folders = [Path("/store"), Path("/private"), project.path.parent / "store", project.path.parent / "private"]
    new_folders = [folder for folder in folders if not folder.exists()]
    before = list_files(folders)
    yield
    written = list_files(folders) - before
    for folder in new_folders:
        shutil.rmtree(folder, ignore_errors=True)
    assert written == set()


def list_files(folders):
    return {file for folder in folders for file in folder.rglob("*")}


def test_the_store_in_the_repository_serves_a_fresh_clone(project, tmp_path):
    project.commit_store()
    assert stored(project) == checksums(project, *cached_outputs(project.path))
    fresh = clone(project, tmp_path / "fresh")
    fresh.dvc("pull")
    assert fresh.status() == {}


def test_make_store_replaces_what_the_store_holds(project):
    set_up(project)
    project.commit_store()
    project.set_params({"faces.margin": 0.1})
    assert "dvc repro" in project.run("python", "-m", "tools.store", fails=True)
    project.dvc("repro")
    printed = project.run("python", "-m", "tools.store")
    assert stored(project) == checksums(project, *cached_outputs(project.path))
    assert f"{len(stored(project))} files" in printed
    staged = project.git("diff", "--cached", "--name-status", "--", "store").splitlines()
    assert {line[0] for line in staged} <= {"A", "D", "R"}
    assert staged


def test_the_store_serves_a_shallow_clone_of_a_bare_repository(project, tmp_path):
    project.commit_store()
    bare = share(project, tmp_path / "bare")
    fresh = clone(bare, tmp_path / "fresh", "--single-branch", "--depth", "1", "--no-local")
    set_up(fresh)
    fresh.dvc("fetch")
    fresh.dvc("pull")
    assert fresh.status() == {}
    assert fresh.repro() == []
    assert "in sync" in fresh.dvc("status", "--cloud")
    fresh.dvc("exp", "run", "--name", "other", *OTHER_MODEL)
    assert "other" in fresh.dvc("exp", "show", "--csv")
    fresh.dvc("gc", "--workspace", "--force")
    fresh.git("checkout", "--quiet", ".")
    fresh.dvc("pull")
    assert fresh.status() == {}


@pytest.mark.usefixtures("outside")
def test_no_push_writes_outside_the_clone(project, tmp_path):
    share(project, tmp_path / "bare")
    set_up(project)
    committed = checksums(project, *cached_outputs(project.path))
    project.dvc("exp", "run", "--name", "other", *OTHER_MODEL)
    experiment = checksums(project, *cached_outputs(project.path))
    assert experiment != committed
    project.dvc("exp", "push", "origin", "other")
    assert stored(project) == experiment

    project.git("checkout", "--quiet", ".")
    project.dvc("checkout")
    project.dvc("push", "--all-branches")
    assert stored(project) == committed | experiment
    project.dvc("push", "--all-commits", "--run-cache")
    project.dvc("exp", "push", "origin", "other", "--run-cache")
    assert stored(project) == committed | experiment
    assert not (project.path / "store/runs").exists()
    assert (project.path / "private/runs").exists()


@pytest.mark.usefixtures("outside")
def test_nothing_made_of_private_images_reaches_the_store(project, tmp_path):
    share(project, tmp_path / "bare")
    set_up(project)
    shared = checksums(project, *cached_outputs(project.path))
    project.set_params({"source.remote": "private", "features.image_size": 40})
    project.repro()
    sample = checksums(project, "data/sample")
    private = checksums(project, *cached_outputs(project.path)) - sample
    assert checksums(project, "models/model.keras") & shared == set(), "other results than those of the shared run"

    project.dvc("exp", "save", "--name", "mine")
    project.dvc("exp", "push", "origin", "mine", "--run-cache")
    project.dvc("push", "--run-cache")
    assert stored(project) == sample
    assert stored(project, "private") == private
    assert not (project.path / "store/runs").exists()
    project.commit("A run on images that may not be shared")
    assert "private/" not in project.git("ls-files")
