"""The examples of output in the documents are what the commands print."""

import re

import pytest

from tools import examples

NUMBER = re.compile(r"\d+(?:\.\d+)?")
TOLERANCE = 0.02
"""Share by which a number may differ: int8 rounds in another way on another kind of processor."""


def test_the_documents_show_what_the_commands_print():
    if not examples.MODEL.exists():
        pytest.skip(f"needs {examples.MODEL}")
    outputs = examples.run_commands()
    shown = {
        match[2]: match[0]
        for name in examples.PAGES
        for match in examples.OUTPUT.finditer((examples.ROOT / name).read_text(encoding="utf-8"))
    }
    assert set(shown) == set(outputs)
    for name, block in shown.items():
        fresh = examples.insert_outputs(block, outputs)
        assert NUMBER.sub("0", block) == NUMBER.sub("0", fresh)
        numbers = [[float(number) for number in NUMBER.findall(text)] for text in (block, fresh)]
        assert numbers[0] == pytest.approx(numbers[1], rel=TOLERANCE, abs=TOLERANCE), name
