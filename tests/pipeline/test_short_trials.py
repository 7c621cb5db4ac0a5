"""A trial of two epochs under a preset whose sizes and warm-up are shares of the epochs, and which has a teacher."""

import csv
import io
import re

import pytest

from tests.makers import make_rows, votes_for, write_ferplus
from tests.pipeline.project import BIN, Project, clone

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

TRIAL = ("exp", "run", "--set-param", "train.epochs=2", "train")
FIRST_SIZE = "train.progressive_sizes=[[40,0.5]]"


@pytest.fixture(scope="module")
def distilled(origin, tmp_path_factory) -> Project:
    """A fresh clone with a few random images as FER2013 and their votes, under the preset photo-nano."""
    project, rows = clone(origin, tmp_path_factory.mktemp("trial") / "main"), make_rows(size=48)
    write_ferplus(project.path / "data/raw", rows, [votes_for(**{emotion: 10}) for emotion, _, _ in rows])
    project.run(str(BIN / "emotion"), "preset", "photo-nano", variables={"PYTHONPATH": str(project.path)})
    return project


def sizes(project: Project) -> list[int]:
    rows = csv.DictReader(io.StringIO(project.read("metrics/live/plots/metrics/size.tsv")), delimiter="\t")
    return [round(float(row["size"])) for row in rows]


def test_a_trial_runs_after_the_commands_of_its_error(distilled):
    output = distilled.dvc(*TRIAL, fails=True)
    assert "Traceback" not in output
    commands = re.findall(r"^ +(cp \S+ models/pretrained/photo\.keras)$", output, re.MULTILINE)
    assert len(commands) == 1
    distilled.run("sh", "-c", commands[0])
    distilled.dvc(*TRIAL)
    assert sizes(distilled) == [32, 48]
    distilled.dvc(*TRIAL, "--set-param", FIRST_SIZE)
    assert sizes(distilled) == [40, 48]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("train.progressive_sizes=[[32,44]]", r"train\.progressive_sizes\.0: got \[32, 44\], expected .*train\.epochs"),
        ("+train.epoch=2", r"train\.epoch: unknown key, expected .*\bepochs\b"),
    ],
)
def test_a_trial_with_a_wrong_setting_names_it(distilled, setting, said):
    before = distilled.read("params.yaml")
    output = distilled.dvc(*TRIAL, "--set-param", setting, fails=True)
    (distilled.path / "params.yaml").write_text(before, encoding="utf-8")
    assert re.search(said, output)
    assert "Traceback" not in output


def test_a_misspelled_key_is_refused_and_changes_nothing(distilled):
    before = distilled.read("params.yaml")
    assert "train.epoch" in distilled.dvc("exp", "run", "--set-param", "train.epoch=2", fails=True)
    assert distilled.read("params.yaml") == before
