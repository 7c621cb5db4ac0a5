"""Decisions on labels as an input of the pipeline: DVC sees their changes, and keeps the results of each state."""

import csv

import pytest

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]


def test_decisions_make_another_table_and_dvc_knows_both(project):
    with (project.path / "data/dataframe.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train" and not row["excluded"]]
    before = project.metrics("dataset")
    path = project.path / "data/labels/decisions.csv"
    lines = ["hash,given,decision,emotion", f"{rows[0]['hash']},{rows[0]['emotion']},drop,"]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    project.set_params({"labels.decisions": "decisions.csv"})
    assert "extract_features" in project.repro("extract_features")
    assert project.metrics("dataset")["decisions"]["dropped"]["train"] == 1
    assert project.metrics("dataset")["images"]["total"] == before["images"]["total"] - 1
    # An edit of the file alone is a change.
    path.write_text("\n".join([*lines, f"{rows[1]['hash']},{rows[1]['emotion']},drop,", ""]), encoding="utf-8")
    assert "create_dataframe" in project.repro("create_dataframe")
    assert project.metrics("dataset")["decisions"]["dropped"]["train"] == 2
    path.write_text("\n".join([*lines, f"{'f' * 32},sad,drop,", ""]), encoding="utf-8")
    output = project.dvc("repro", "create_dataframe", fails=True)
    assert "Traceback" not in output
    assert "error: decisions.csv: 1 of 2 decisions are on images that the source does not have" in output
    # Without them, all is as before. Stages behind the table take their results from DVC's cache.
    assert "data/labels/decisions.csv" in project.git("status", "--porcelain", "--untracked-files=all")
    path.unlink()
    project.set_params({"labels.decisions": None})
    # The run cache has the first state only where this machine made it.
    assert set(project.repro()) <= {"create_dataframe"}
    assert project.metrics("dataset") == before
    assert project.status() == {}
