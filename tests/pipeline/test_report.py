"""The report on a change, with the real DVC: two commits with different results."""

import re
import sys
from pathlib import Path

import pytest

from tests.pipeline.project import Project

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

MAIN_FIGURES = ["test.accuracy", "test.macro_f1", "test.logloss", "val.accuracy", "val.logloss"]


def write_report(project: Project, base: str) -> str:
    project.run(sys.executable, "-m", "tools.report", "--base", base)
    return project.read("report.md")


def table_rows(text: str) -> dict[str, list[str]]:
    """Return the cells of the rows of `dvc metrics diff --md`, by metric."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {line[1]: line for line in lines if line[0] == "metrics/summary.json"}


def test_a_change_is_reported_with_figures_stages_and_plots(project):
    before = project.metrics("summary")
    project.set_params({"train.learning_rate": 0.01})
    project.repro("plot")
    project.commit("Learn more slowly")
    text = write_report(project, "HEAD~1")

    rows = table_rows(text)
    assert sorted(rows) == sorted(MAIN_FIGURES)
    after = project.metrics("summary")
    assert after["test"]["logloss"] != before["test"]["logloss"]
    old, new = (float(cell) for cell in rows["test.logloss"][2:4])
    assert (old, new) == (before["test"]["logloss"], after["test"]["logloss"])

    assert re.search(r"^- `train`:.*params `train\.learning_rate`", text, re.MULTILINE)
    assert "`make_sample`" not in text
    assert re.search(r"^\| log loss \| test \|", text, re.MULTILINE)
    images = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert [Path(image).name for image in images] == ["confusion.png", "training.png"]
    assert all((project.path / image).is_file() for image in images)
    assert project.git("status", "--porcelain") == ""


def test_a_base_before_the_pipeline_makes_every_figure_new(project):
    root = project.git("commit-tree", "-m", "Nothing yet", project.git("mktree").strip()).strip()
    project.git("tag", "empty", root)
    text = write_report(project, "empty")
    assert sorted(table_rows(text)) == sorted(MAIN_FIGURES)
    assert re.search(r"^- `train`: new$", text, re.MULTILINE)


def test_nothing_changed(project):
    text = write_report(project, "HEAD")
    assert sorted(table_rows(text)) == sorted(MAIN_FIGURES)
    assert "`train`" not in text
