"""Clones for the tests that run the real DVC. The pipeline runs once for most of them."""

import shutil

import pytest
from filelock import FileLock

from tests.pipeline.project import ROOT, SMALL, Project, clone, hermetic_environment, snapshot


@pytest.fixture(scope="session")
def origin(tmp_path_factory) -> Project:
    """A repository with the working tree as its last commit."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, so nothing can be cloned")
    folder = tmp_path_factory.mktemp("origin")
    project = Project(folder / "main", hermetic_environment(folder))
    project.path.mkdir()
    snapshot(project)
    return project


@pytest.fixture(scope="session")
def small_origin(origin, tmp_path_factory) -> Project:
    """The same with small params, no dvc.lock of other ones, and an empty store."""
    project = clone(origin, tmp_path_factory.mktemp("small") / "main")
    project.set_params(SMALL)
    (project.path / "dvc.lock").unlink(missing_ok=True)
    shutil.rmtree(project.path / "store", ignore_errors=True)
    project.commit("Small params")
    return project


@pytest.fixture(scope="session")
def finished(small_origin, tmp_path_factory, worker_id) -> Project:
    """A clone in which `dvc repro` ran, with its results committed. Tests read it and leave it as it is.

    The first worker of pytest-xdist that asks for it makes it for all.
    """
    folder = tmp_path_factory.getbasetemp()
    folder = folder if worker_id == "master" else folder.parent
    path = folder / "finished"
    with FileLock(folder / "finished.lock"):
        if not path.exists():
            project = clone(small_origin, tmp_path_factory.mktemp("unfinished") / "main")
            project.dvc("repro")
            project.commit("Results")
            project.path.rename(path)
    return Project(path, small_origin.environment)


@pytest.fixture
def project(finished, tmp_path) -> Project:
    """A copy of the finished clone, for a test to change."""
    path = tmp_path / "main"
    shutil.copytree(finished.path, path, symlinks=True)
    return Project(path, dict(finished.environment))
