"""`dvc exp`, `dvc queue` and the comparisons: what a user does to find better params."""

import csv
import io
import json
import re
import shutil
import sys
import time

import pytest
from PIL import Image

from tests.pipeline.project import ROOT, Project, ran_stages
from tests.pipeline.test_plots import TITLES, specs

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

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
    changes = json.loads(project.dvc("metrics", "diff", "--json"))["metrics/summary.json"]
    change = changes["test.logloss"]
    assert change["old"] == finished.metrics("evaluate")["test"]["log_loss"]
    assert change["new"] == project.metrics("evaluate")["test"]["log_loss"]
    table = project.dvc("metrics", "diff")
    assert "test.logloss" in table


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


def test_a_sweep_through_the_queue_is_listed_and_drawn_as_the_documents_show(project):
    queued = project.dvc("exp", "run", "--queue", "--set-param", "train.learning_rate=range(0.04,0.12,0.04)")
    assert queued.count("Queued experiment") == 2
    assert [row["State"] for row in experiments(project) if row["Experiment"]] == ["Queued"] * 2
    project.dvc("exp", "run", "--run-all", "--jobs", "2")
    ended = {row["Experiment"]: row for row in experiments(project) if row["Experiment"]}
    assert len(ended) == 2
    best_first = sorted(ended, key=lambda name: float(ended[name]["val.logloss"]))
    listed = project.run("sh", "-c", documented("bash", "dvc exp show --hide-workspace"))
    assert [name for name in re.findall(r"\[(\S+)\]", listed) if name in ended] == best_first
    header, *rows = project.run(sys.executable, "-c", documented("python", "import os")).splitlines()
    assert header.split() == ["Experiment", "train.architecture", "train.learning_rate", "val.logloss"]
    assert [row.split()[0] for row in rows] == best_first
    for row in rows:
        name, _, rate, score = row.split()
        assert (float(rate), float(score)) == tuple(
            float(ended[name][key]) for key in ("train.learning_rate", "val.logloss")
        )
    with Image.open(project.path / "experiments.png") as image:
        assert image.width > 500


def documented(language: str, start: str) -> str:
    """Return what stands in docs/experiments.md from the last line that starts with `start` to its block's end."""
    text = (ROOT / "docs/experiments.md").read_text(encoding="utf-8")
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    block: str
    (block,) = [block for block in blocks if f"\n{start}" in f"\n{block}"]
    return start + block.rpartition(start)[2]


def _wait_for_queue(project: Project) -> None:
    end = time.monotonic() + QUEUE_SECONDS
    while time.monotonic() < end:
        status = project.dvc("queue", "status")
        assert "Failed" not in status, project.dvc("queue", "logs", "show-2")
        if status.count("Success") == 2:
            return
        time.sleep(3)
    raise AssertionError(f"the queue has not ended after {QUEUE_SECONDS} s:\n{status}")
