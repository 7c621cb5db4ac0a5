"""`emotion release` with the real DVC and git: what is released comes with the clone, and nothing else changes."""

import json

import pytest

from tests.pipeline.project import BIN, Project, clone

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

FOLDER = "models/released/tiny"


def emotion_release(project: Project, *options: str, fails: bool = False) -> str:
    """Run `emotion release` with the clone's code and return what it printed."""
    command = (str(BIN / "emotion"), "release", "tiny", *options)
    return project.run(*command, fails=fails, variables={"PYTHONPATH": str(project.path)})


@pytest.fixture
def release(project):
    printed = emotion_release(project)
    assert f"git add models/released/metrics.json {FOLDER}" in printed
    project.commit("Release")
    return project


def test_a_release_is_cloned_and_listed(release, tmp_path):
    assert release.status() == {}
    assert release.repro() == []
    accuracy = release.metrics("evaluate")["test"]["accuracy"]
    listed = json.loads(release.dvc("metrics", "show", "--json"))[""]["data"]
    assert listed["models/released/metrics.json"]["data"]["released"]["tiny"]["accuracy"] == accuracy
    fresh = clone(release, tmp_path / "fresh")
    code = f"import keras; print(keras.models.load_model('{FOLDER}/model.keras').count_params())"
    assert str(release.metrics("train")["parameters"]) in fresh.run("python", "-c", code)
    temperature = f"Predictor('{FOLDER}/model.tflite').metadata.temperature"
    code = f"from emotion.inference.predictor import Predictor; print({temperature})"
    printed = fresh.run("python", "-c", code, variables={"PYTHONPATH": str(fresh.path)})
    assert float(printed) == release.metrics("evaluate")["temperature"]


def test_a_release_is_made_again_byte_for_byte(release):
    (release.path / FOLDER / "model.keras").unlink()
    emotion_release(release, "--replace")
    assert release.git("status", "--porcelain", "--", FOLDER).split() == ["M", f"{FOLDER}/README.md"], (
        "the same model, and a card that names another commit"
    )


def test_results_that_are_not_of_these_params_are_refused(project):
    project.set_params({"plot.mistakes": 3})
    assert "not up to date: plot changed" in emotion_release(project, fails=True)
    assert not (project.path / FOLDER).exists()
