"""`python -m tools.code_only` in the whole pipeline: a docstring runs no stage again, and a number does."""

import sys
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.pipeline.project import Project

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

MODULE = "emotion/core/files.py"
COMMAND = (sys.executable, "-m", "tools.code_only")


def edit(project: Project, old: str, new: str) -> None:
    text = project.read(MODULE)
    assert old in text
    (project.path / MODULE).write_text(text.replace(old, new), encoding="utf-8")


def changed_lines(project: Project) -> set[str]:
    """Return the keys of the lines that differ in dvc.lock from the committed one."""
    difference = project.git("diff", "--unified=0", "--", "dvc.lock").splitlines()
    return {line[1:].split(":")[0].strip() for line in difference if line[0] in "+-" and line[:3] not in ("+++", "---")}


def code_without_hashes(project: Project) -> dict[str, Any]:
    """Return the stages of dvc.lock, with no hash of code."""
    stages: dict[str, Any] = YAML(typ="safe").load(project.read("dvc.lock"))["stages"]
    for stage in stages.values():
        for dep in stage["deps"]:
            if dep["path"].startswith(("emotion/", "stages/")):
                dep |= {"md5": None, "size": None}
    return stages


def test_a_docstring_runs_no_stage_and_a_number_is_refused(project):
    everything = code_without_hashes(project)
    stages = list(everything)
    edit(project, '"""Write `content` as', '"""Store `content` as')
    assert list(project.status()) == stages
    output = project.run(*COMMAND)
    assert MODULE in output
    assert [name for name in stages if name not in output] == []
    assert project.status() == {}
    assert changed_lines(project) == {"md5"}
    assert code_without_hashes(project) == everything
    assert project.repro() == []
    project.commit("Docstring")
    edit(project, "METRIC_DECIMALS = 5", "METRIC_DECIMALS = 4")
    refused = project.run(*COMMAND, fails=True)
    line = project.read(MODULE).partition("METRIC_DECIMALS = 4")[0].count("\n") + 1
    assert f"{MODULE}, line {line}" in refused
    assert "dvc repro" in refused
    assert "Traceback" not in refused
    assert project.git("diff", "--name-only").split() == [MODULE]


def test_a_clone_without_its_data_is_told_to_pull_it(project):
    edit(project, '"""Write `content` as', '"""Store `content` as')
    (project.path / "models/trained.keras").unlink()
    refused = project.run(*COMMAND, fails=True)
    assert "models/trained.keras" in refused
    assert "dvc pull" in refused
    assert project.git("diff", "--name-only").split() == [MODULE]
