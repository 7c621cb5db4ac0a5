"""A stage that is killed leaves nothing half-written, and what runs after it gives what it would have given."""

from pathlib import Path

import pytest

from tests.pipeline.project import Project, ran_stages

pytestmark = pytest.mark.pipeline

SABOTAGE = "tests/pipeline/sabotage"


def killed_repro(project: Project, stage: str, *, when: str, at: str, whom: str = "stage") -> str:
    """Run a stage through DVC that is killed `when` (before, after) it moves `at` into place."""
    variables = {"PYTHONPATH": SABOTAGE, "KILL_STAGE": stage, "KILL_AT": at, "KILL_WHEN": when, "KILL_WHOM": whom}
    return project.dvc("repro", "--single-item", "--force", stage, fails=True, variables=variables)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "stage, when, at",
    [
        pytest.param("make_sample", "before", "data/sample/archive.zip", marks=pytest.mark.slow),
        pytest.param("create_dataframe", "after", "data/pixels.npy", marks=pytest.mark.slow),
        ("extract_features", "before", "data/features"),
        ("export", "before", "models/model.onnx"),
        pytest.param("plot", "after", "metrics/plots/roc.png", marks=pytest.mark.slow),
    ],
)
def test_a_killed_stage_is_run_again_to_the_same_results(project, finished, stage, when, at):
    killed_repro(project, stage, when=when, at=at)
    project.forget_results(stage)
    assert project.repro() == [stage]
    assert project.read("dvc.lock") == finished.read("dvc.lock")


def test_half_written_files_do_not_stand_where_outputs_belong(project):
    features = project.path / "data/features"
    killed_repro(project, "extract_features", when="before", at="data/features")
    assert not features.exists()
    left = {path.name for path in (project.path / "data").iterdir() if path.name.startswith(".partial-")}
    assert left, "the test killed the stage before it wrote anything"
    assert project.git("status", "--porcelain") == ""
    project.forget_results("extract_features")
    assert project.repro() == ["extract_features"]
    assert not list((project.path / "data").glob(".partial-*")), "the next run cleans up"


def test_an_interrupted_training_goes_on_and_ends_with_the_same_model(project, finished):
    killed_repro(project, "train", when="after", at="models/.checkpoints/*.npz", whom="group")
    project.forget_results("train")
    assert not (project.path / "models/trained.keras").exists()
    assert len(list((project.path / "models/.checkpoints").glob("*.npz"))) == 1

    output = project.dvc("repro")
    assert ran_stages(output) == ["train"], "the model is the same, so nothing behind it runs again"
    assert "going on after epoch 1" in output
    assert project.read("dvc.lock") == finished.read("dvc.lock")
    written = files(finished.path / "metrics/live")
    assert written, "the training wrote no history"
    assert files(project.path / "metrics/live") == written
    assert list((project.path / "models/.checkpoints").glob("*.npz")) == []
