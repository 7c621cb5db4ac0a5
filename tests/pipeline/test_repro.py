"""`dvc repro`: the whole pipeline, again, and in part."""

import numpy as np
import pytest

from tests.pipeline.project import cached_outputs, clone, read_pipeline

pytestmark = pytest.mark.pipeline

STAGES = ["make_sample", "resolve_faces", "create_dataframe", "extract_features", "train", "evaluate"]
STAGES += ["export", "explain", "plot", "card"]


def test_the_whole_pipeline_runs(finished):
    for output in cached_outputs(finished.path):
        assert (finished.path / output).exists(), output
    assert 0 <= finished.metrics("evaluate")["test"]["accuracy"] <= 1
    assert (finished.path / "metrics/plots/confusion.png").read_bytes().startswith(b"\x89PNG")
    assert finished.status() == {}


def test_running_again_does_nothing(finished):
    assert "Data and pipelines are up to date." in finished.dvc("repro")
    assert finished.git("status", "--porcelain") == ""


@pytest.mark.slow
def test_a_second_fresh_clone_writes_the_same_lock(finished, small_origin, tmp_path):
    second = clone(small_origin, tmp_path / "second")
    assert second.repro() == STAGES
    assert (second.path / "dvc.lock").read_bytes() == (finished.path / "dvc.lock").read_bytes()


@pytest.mark.parametrize(
    "param, value, stages",
    [
        ("sample.seed", 1, {"make_sample"}),
        ("split.keep_copies", True, {"create_dataframe", "card"}),
        ("features.image_size", 40, {"extract_features", "card"}),
        ("augmentation.flip", False, {"train"}),
        ("train.learning_rate", 0.01, {"train", "card"}),
        ("compute.threads", 1, {"train", "evaluate", "explain"}),
        ("evaluate.bins", 10, {"evaluate", "export", "card"}),
        ("faces.margin", 0.2, {"resolve_faces", "export"}),
        ("plot.mistakes", 3, {"plot"}),
        ("explain.images", 1, {"explain"}),
    ],
)
def test_a_changed_param_concerns_only_the_stages_that_read_it(project, param, value, stages):
    project.set_params({param: value})
    assert set(project.status()) == stages


@pytest.mark.slow
def test_a_changed_param_runs_its_stage_and_those_behind_it(project):
    project.set_params({"evaluate.bins": 10})
    assert project.repro() == ["evaluate", "export", "plot", "card"]


def test_another_image_size_makes_other_arrays(project):
    """DVC's run cache would bring the old ones, were the param called `size`."""
    project.set_params({"features.image_size": 40})
    assert project.repro("extract_features") == ["extract_features"]
    assert np.load(project.path / "data/features/x_test.npy", mmap_mode="r").shape[1:] == (40, 40, 1)


def test_a_changed_margin_reaches_training_images_only_where_faces_are_cut_out(project):
    project.set_params({"faces.margin": 0.2})
    assert project.repro("train") == ["resolve_faces"]
    project.set_params({"features.faces": "auto"})
    assert project.repro("extract_features") == ["resolve_faces", "create_dataframe", "extract_features"]
    project.set_params({"faces.margin": 0.3})
    assert project.repro("extract_features") == ["resolve_faces", "extract_features"]
    project.set_params({"faces.smallest": 30})
    assert project.repro("extract_features") == ["resolve_faces", "create_dataframe"]


@pytest.mark.slow
def test_a_changed_param_of_the_last_stage_runs_it_alone(project):
    project.set_params({"plot.mistakes": 3})
    assert project.repro() == ["plot"]


def test_a_changed_module_runs_the_stages_that_import_it(project):
    module = project.path / "emotion/plots/curves.py"
    module.write_text(module.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert set(project.status()) == {"plot"}


def test_dvc_yaml_is_in_the_form_that_dvc_writes(project):
    before, stages = project.read("dvc.yaml"), read_pipeline(project.path)["stages"]
    # DVC refuses to write a stage that has a template in it.
    plain = [name for name, stage in stages.items() if "${" not in str(stage)]
    project.dvc("freeze", *plain)
    project.dvc("unfreeze", *plain)
    assert len(plain) == 3
    assert project.read("dvc.yaml") == before


def test_the_same_bytes_leave_the_stages_behind_alone(project):
    # A comment changes no output: the table is made again, and nothing that reads it.
    script = project.path / "stages/create_dataframe.py"
    script.write_text(script.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert project.repro() == ["create_dataframe"]
