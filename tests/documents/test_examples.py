"""The examples of output in the documents are what the commands print."""

import re

import pytest

from tests.pages import ROOT
from tools.examples import EXAMPLES
from tools.markers import fill, list_documents

NUMBER = re.compile(r"\d+(?:\.\d+)?")
TOLERANCE = 0.02
"""Share by which a number may differ: int8 rounds in another way on another kind of processor."""


def test_the_documents_show_what_the_commands_print(monkeypatch):
    monkeypatch.chdir(ROOT)
    shown = {document: document.read_text(encoding="utf-8") for document in list_documents()}
    for name in EXAMPLES:
        assert any(f"<!-- output: {name} -->" in text for text in shown.values()), name
    for document, text in shown.items():
        fresh = fill(document, "output", EXAMPLES)
        assert NUMBER.sub("0", text) == NUMBER.sub("0", fresh)
        numbers = [[float(number) for number in NUMBER.findall(page)] for page in (text, fresh)]
        assert numbers[0] == pytest.approx(numbers[1], rel=TOLERANCE, abs=TOLERANCE), document
