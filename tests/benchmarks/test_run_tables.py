"""Tables that compare a few trainings: the figures that they derive, and the commands that they belong to."""

import re

import pytest

from benchmarks.run_tables import render_copies, render_experiment, render_sizes
from benchmarks.runs import read_run, scores_of
from tests.pages import ROOT

pytestmark = pytest.mark.medium


@pytest.fixture(autouse=True)
def project(monkeypatch):
    monkeypatch.chdir(ROOT)


def cells(table: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]


def test_images_with_and_without_a_copy_add_up_to_all_that_are_right():
    test = scores_of(read_run("fer2013"), "test")
    (_, _, copies, others), _ = cells(render_copies())
    right = int(copies) + int(others.replace(",", ""))
    assert right == round(test["accuracy"] * test["images"])


def test_inference_sizes_begin_with_that_of_training_and_grow():
    sizes = [int(row[0].removesuffix(" pixels")) for row in cells(render_sizes())]
    assert sizes[0] == 48
    assert sizes == sorted(set(sizes))


def test_the_experiment_is_that_of_the_tutorial():
    (command,) = re.findall(r"^dvc exp run -n five-epochs (.+)$", (ROOT / "docs/tutorial.md").read_text("utf-8"), re.M)
    assert set(command.replace("-S ", "").split()) == set(read_run("sample/five-epochs")["overrides"].split())
    committed, experiment = cells(render_experiment())
    assert experiment[3:] == ["5", "0.05"]
    assert committed[0] != experiment[0]
