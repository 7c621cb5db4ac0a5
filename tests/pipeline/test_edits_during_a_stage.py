"""A stage whose params or code are edited while it runs fails, and DVC records nothing of it."""

import pytest

from tests.pipeline.project import Project, clone

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]


@pytest.fixture
def project(small_origin, tmp_path) -> Project:
    """A clone in which the first stage ran."""
    project = clone(small_origin, tmp_path / "main")
    assert project.repro("make_sample") == ["make_sample"]
    return project


def edited_repro(project: Project, edit: str) -> str:
    """Run the stage make_sample, with the shell command `edit` before it moves its output into place."""
    variables = {
        "PYTHONPATH": "tests/pipeline/sabotage",
        "KILL_STAGE": "make_sample",
        "KILL_AT": "data/sample/archive.zip",
        "KILL_WHEN": "before",
        "EDIT": edit,
    }
    output = project.dvc("repro", "--force", "make_sample", fails=True, variables=variables)
    assert "Traceback" not in output
    return output


def run_cache(project: Project) -> set[str]:
    return {str(path) for path in (project.path / ".dvc/cache/runs").rglob("*")}


def test_an_edited_param_is_named_and_its_value_is_not_recorded(project):
    lock, runs = project.read("dvc.lock"), run_cache(project)
    output = edited_repro(project, "sed -i 's/images: 300/images: 310/' params.yaml")
    for part in ("sample.images", "300", "310", "`dvc commit -f make_sample`"):
        assert part in output
    assert project.read("dvc.lock") == lock
    assert run_cache(project) == runs
    assert project.repro("make_sample") == ["make_sample"]
    assert "images: 310" in project.read("dvc.lock")


def test_results_can_be_kept_once_the_params_are_as_before(project):
    lock = project.read("dvc.lock")
    edited_repro(project, "sed -i 's/images: 300/images: 310/' params.yaml")
    project.set_params({"sample.images": 300})
    project.dvc("commit", "-f", "make_sample")
    assert project.read("dvc.lock") == lock
    assert project.repro("make_sample") == []


def test_edited_code_is_named_and_not_recorded(project):
    lock = project.read("dvc.lock")
    output = edited_repro(project, "echo '# edited' >> emotion/core/labels.py")
    assert "emotion/core/labels.py" in output
    assert project.read("dvc.lock") == lock
    assert project.repro("make_sample") == ["make_sample"]
