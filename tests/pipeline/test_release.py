"""`emotion release` with the real DVC and git: what is released comes with the clone, and nothing else changes."""

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
    assert printed.splitlines()[-1] == f"Now: git add dvc.yaml {FOLDER}"
    assert "not known" not in printed, "the times of this run were measured"
    project.commit("Release")
    return project


def test_a_release_is_cloned_and_no_second_metric(release, tmp_path):
    assert release.status() == {}
    assert release.repro() == []
    assert "released" not in release.dvc("metrics", "show", "--json")
    fresh = clone(release, tmp_path / "fresh")
    code = f"import keras; print(keras.models.load_model('{FOLDER}/model.keras').count_params())"
    assert str(release.metrics("train")["parameters"]) in fresh.run("python", "-c", code)
    temperature = f"Predictor('{FOLDER}/model.tflite').metadata.temperature"
    code = f"from emotion.inference.predictor import Predictor; print({temperature})"
    printed = fresh.run("python", "-c", code, variables={"PYTHONPATH": str(fresh.path)})
    assert float(printed) == release.metrics("evaluate")["temperature"]


def test_a_release_is_made_again_byte_for_byte(release):
    (release.path / FOLDER / "model.keras").unlink()
    emotion_release(release, "--overwrite")
    assert release.git("status", "--porcelain", "--", FOLDER).split() == ["M", f"{FOLDER}/README.md"], (
        "the same model, and a card that names another commit"
    )


def test_a_version_of_a_release_is_had_by_its_tag(release, tmp_path):
    release.git("tag", "--annotate", "tiny@v1.0.0", "--message", "The first version")
    release.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    got = tmp_path / "got.keras"
    address = (tmp_path / "bare.git").as_uri()
    release.dvc("artifacts", "get", address, "tiny", "--rev", "v1.0.0", "--out", str(got))
    assert got.read_bytes() == (release.path / FOLDER / "model.keras").read_bytes()


def test_a_release_leaves_dvc_yaml_in_the_form_that_dvc_writes(release):
    before = release.read("dvc.yaml")
    release.dvc("freeze", "make_sample", "card")
    release.dvc("unfreeze", "make_sample", "card")
    assert release.read("dvc.yaml") == before


def test_a_model_out_of_the_cache_has_no_times(project, tmp_path):
    project.commit_store()
    fresh = clone(project, tmp_path / "fresh")
    fresh.dvc("pull")
    printed = emotion_release(fresh)
    assert "training time: not known" in printed
    assert "milliseconds a face: not known" in printed


def test_measured_times_leave_git_clean(project):
    times = project.path / "metrics/times/export.json"
    times.unlink()
    project.dvc("repro", "--force", "--single-item", "export")
    assert times.is_file()
    assert project.git("status", "--porcelain") == ""


def test_results_that_are_not_of_these_params_are_refused(project):
    project.set_params({"plot.mistakes": 3})
    assert "not up to date: plot changed" in emotion_release(project, fails=True)
    assert not (project.path / FOLDER).exists()
