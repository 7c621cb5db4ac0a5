"""`dvc exp`, `dvc queue` and the comparisons: what a user does to find better params."""

import csv
import io
import json
import shutil
import time

import pytest
from PIL import Image

from emotion.app.experiments.comparison import DEFAULT_METRIC
from tests.pipeline.project import BIN, Project, ran_stages
from tests.pipeline.test_plots import TITLES, specs

QUEUE_SECONDS = 180


def experiments(project: Project) -> list[dict[str, str]]:
    """Return the rows of `dvc exp show`: the workspace, the last commit, its experiments."""
    return list(csv.DictReader(io.StringIO(project.dvc("exp", "show", "--csv"))))


@pytest.fixture(scope="module")
def experiment(finished, tmp_path_factory):
    """A copy of the finished clone after an experiment with another learning rate, and what that printed."""
    path = tmp_path_factory.mktemp("experiment") / "main"
    shutil.copytree(finished.path, path, symlinks=True)
    project = Project(path, finished.environment)
    output = project.dvc("exp", "run", "--name", "slower", "--set-param", "train.learning_rate=0.003")
    return project, output


def test_an_experiment_runs_from_training_on(experiment):
    project, output = experiment
    assert ran_stages(output)[0] == "train"
    assert "learning_rate: 0.003" in project.read("params.yaml")
    assert "# the peak, after warm-up" in project.read("params.yaml"), "comments are kept"


def test_experiments_are_listed_with_params_and_metrics(experiment):
    project, _ = experiment
    rows = {row["Experiment"]: row for row in experiments(project)}
    row = rows["slower"]
    rate, accuracy = (next(key for key in row if key.endswith(name)) for name in (".learning_rate", "test.accuracy"))
    assert float(row[rate]) == 0.003
    assert float(row[accuracy]) == project.metrics("evaluate")["test"]["accuracy"]


def test_metrics_are_compared(experiment, finished):
    project, _ = experiment
    changes = json.loads(project.dvc("metrics", "diff", "--json"))["metrics/evaluate.json"]
    change = changes["test.log_loss"]
    assert change["old"] == finished.metrics("evaluate")["test"]["log_loss"]
    assert change["new"] == project.metrics("evaluate")["test"]["log_loss"]
    table = project.dvc("metrics", "diff")
    assert "test.log_loss" in table


def test_params_are_compared(experiment):
    project, _ = experiment
    assert "learning_rate" in project.dvc("params", "diff")


def test_plots_are_compared(experiment):
    project, _ = experiment
    project.dvc("plots", "diff", "HEAD", "workspace")
    drawn = specs(project.read("dvc_plots/index.html"))
    assert list(drawn) == TITLES
    for title, spec in drawn.items():
        assert {row["rev"] for row in spec["data"]["values"]} == {"HEAD", "workspace"}, title


def test_two_queued_experiments_run_side_by_side(project):
    for number in (2, 3):
        project.dvc("exp", "run", "--queue", "--name", f"show-{number}", "--set-param", f"plot.mistakes={number}")
    project.dvc("queue", "start", "--jobs", "2")
    try:
        _wait_for_queue(project)
    finally:
        project.dvc("queue", "stop", "--kill")
    names = {row["Experiment"] for row in experiments(project)}
    assert {"show-2", "show-3"} <= names
    project.dvc("exp", "apply", "show-2")
    assert "mistakes: 2" in project.read("params.yaml")
    assert project.status() == {}


def test_a_sweep_through_the_queue_is_drawn(project):
    queued = project.dvc("exp", "run", "--queue", "--set-param", "train.learning_rate=range(0.04,0.12,0.04)")
    assert queued.count("Queued experiment") == 2
    assert "Left out: 2 queued" in emotion_experiments(project, fails=True)
    project.dvc("exp", "run", "--run-all", "--jobs", "2")
    printed = emotion_experiments(project).splitlines()
    assert printed[0].split()[1:] == ["train.learning_rate", DEFAULT_METRIC]
    ended = {row["Experiment"]: row for row in experiments(project) if row["Experiment"]}
    assert len(ended) == 2
    listed = {line.split()[0]: line.split()[-2:] for line in printed[1:4]}
    for name, row in ended.items():
        assert listed[name][0] == row["train.learning_rate"]
        assert float(listed[name][1]) == float(row[DEFAULT_METRIC])
    assert listed.keys() - ended.keys() == {"main"}
    with Image.open(project.path / "experiments.png") as image:
        assert image.width > 500


def emotion_experiments(project: Project, *, fails: bool = False) -> str:
    """Run `emotion experiments` with the clone's code and return what it printed."""
    return project.run(str(BIN / "emotion"), "experiments", fails=fails, variables={"PYTHONPATH": str(project.path)})


def _wait_for_queue(project: Project) -> None:
    end = time.monotonic() + QUEUE_SECONDS
    while time.monotonic() < end:
        status = project.dvc("queue", "status")
        assert "Failed" not in status, project.dvc("queue", "logs", "show-2")
        if status.count("Success") == 2:
            return
        time.sleep(3)
    raise AssertionError(f"the queue has not ended after {QUEUE_SECONDS} s:\n{status}")
