"""The tables of figures in README.md and docs/ are those that `make figures` writes."""

import json
import shutil
from pathlib import Path

import pytest

from emotion.core.errors import InputError
from emotion.core.files import read_json, write_json
from tests.pages import ROOT
from tools.figures import TABLES, update
from tools.markers import fill, list_documents

pytestmark = pytest.mark.medium

COPIED = ("README.md", "docs", "results", "metrics", "presets", "benchmarks/peers.csv", "params.yaml")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the documents and of the metrics that tables are written from."""
    for name in (*COPIED, "models/released"):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("*.png", "*.keras", "*.tflite"))
        else:
            shutil.copyfile(ROOT / name, target)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_changes_no_document(project: Path) -> None:
    update()
    for document in list_documents():
        assert document.read_text(encoding="utf-8") == (ROOT / document).read_text(encoding="utf-8"), document


def test_a_changed_metric_changes_the_table(project: Path) -> None:
    path = project / "models/released/fer2013-long/evaluate.json"
    metrics = read_json(path)
    metrics["test"]["accuracy"] = 0.61234
    write_json(path, metrics)
    with pytest.raises(InputError, match=r"README\.md.*make figures"):
        update(check=True)
    update()
    assert "| 61.2 % (70.5 to 73.4) |" in (project / "README.md").read_text(encoding="utf-8")
    update(check=True)


def test_every_table_can_be_rendered(project: Path) -> None:
    for name, render in TABLES.items():
        header, rule, *rows = render().splitlines()
        assert rows, name
        assert {line.count("|") for line in (header, rule, *rows)} == {header.count("|")}, name


@pytest.mark.parametrize("text", ["<!-- figures: none -->\n<!-- /figures -->\n", "<!-- figures: one -->\nold\n"])
def test_wrong_markers_are_refused(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=json.dumps(page.name).strip('"')):
        fill(page, "figures", {"one": lambda: "new\n"})
