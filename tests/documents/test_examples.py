"""The examples of output in the documents are what the commands print."""

import json
import re

import pytest

from tests.pages import ROOT
from tools.examples import EXAMPLES, JSON_COLUMNS, break_lines
from tools.markers import list_documents

pytestmark = pytest.mark.medium

NUMBER = re.compile(r"\d+(?:\.\d+)?")
TOLERANCE = 0.02
"""Share by which a number may differ: int8 rounds in another way on another kind of processor."""
LOADS_TENSORFLOW = ("presets",)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.tf] * (name in LOADS_TENSORFLOW)) for name in EXAMPLES]
)
def test_the_documents_show_what_the_commands_print(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    marked = re.compile(rf"<!-- output: {name} -->\n(.*?)<!-- /output -->", re.DOTALL)
    shown = [part for page in list_documents() for part in marked.findall(page.read_text(encoding="utf-8"))]
    assert shown, "no document has this example"
    fresh = EXAMPLES[name]()
    for part in shown:
        assert NUMBER.sub("0", part) == NUMBER.sub("0", fresh)
        numbers = [[float(number) for number in NUMBER.findall(text)] for text in (part, fresh)]
        assert numbers[0] == pytest.approx(numbers[1], rel=TOLERANCE, abs=TOLERANCE)


def test_json_is_broken_into_lines_that_fit():
    value = {"faces": [{"box": {"x": 1, "y": 2}, "scores": {f"emotion {index}": 0.5 for index in range(9)}}], "n": None}
    text = break_lines(value)
    assert json.loads(text) == value
    assert max(map(len, text.splitlines())) <= JSON_COLUMNS
    assert '"box": {"x": 1, "y": 2}' in text
