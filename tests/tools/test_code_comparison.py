"""tools.code_comparison: comments, docstrings and formatting are the same code, and everything else is not."""

import pytest

from tools.code_comparison import compare_versions, find_source_readers, read_other_docstrings

CODE = '''"""A module."""

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import json

LIMIT = 3
"""Most items."""


class Box:
    """A box."""

    def fill(self, items: list[int]) -> int:
        """Fill it."""
        total = sum(items)  # in kg
        return total + LIMIT


def label():
    return "a label"
'''


def differences(old: str | bytes, new: str | bytes, path: str = "emotion/box.py", *, docstrings: bool = False):
    contents = [text.encode() if isinstance(text, str) else text for text in (old, new)]
    assert contents[0] != contents[1]
    return list(compare_versions({path: contents[0]}, {path: contents[1]}, docstrings=docstrings))


@pytest.mark.parametrize(
    "old, new",
    [
        ("A module.", "Another text."),
        ("A box.", "A box,\n    in two lines."),
        ("Fill it.", ""),
        ("Most items.", "At most so many items."),
        ('"""Most items."""\n', ""),
        ('    """A box."""\n\n', ""),
        ("# in kg", "# in tons"),
        ("  # in kg", ""),
        ("total + LIMIT", "(\n            total\n            + LIMIT\n        )"),
        ('"a label"', "'a label'"),
        ('"a label"', '"a " "label"'),
        ("import os\n", "\n\nimport os  # noqa: F401\n"),
        ("LIMIT = 3", "LIMIT = 0x3"),
        ("\n", "\r\n"),
        ('"""A module."""', '# -*- coding: utf-8 -*-\n"""Ein Modul für Müll."""'),
    ],
)
def test_what_python_does_not_run_is_the_same_code(old, new):
    assert old in CODE
    assert differences(CODE, CODE.replace(old, new)) == []


@pytest.mark.parametrize(
    "old, new, line",
    [
        ("LIMIT = 3", "LIMIT = 4", 10),
        ("LIMIT = 3", "LIMIT = 3.0", 10),
        ("total + LIMIT", "LIMIT + total", 20),
        ("total", "weight", 19),
        ('"a label"', '"a  label"', 24),
        ("import os\nimport sys", "import sys\nimport os", 3),
        ("items: list[int]", "items: list[float]", 17),
        (" -> int", "", 17),
        ("    import json", "    import ast", 8),
        ("class Box:", "class Box(dict):", 14),
        ("    def fill", "    @staticmethod\n    def fill", 17),
        ("return total + LIMIT", "return (total + LIMIT,)", 20),
        ("        total = sum(items)  # in kg\n", "", 19),
    ],
)
def test_anything_else_is_named_with_its_line(old, new, line):
    assert old in CODE
    (difference,) = differences(CODE, CODE.replace(old, new))
    assert difference.startswith(f"emotion/box.py, line {line}:")


def test_statements_after_the_last_one_are_named_without_a_line():
    (difference,) = differences(CODE, CODE + "\nprint(label())\n")
    assert difference.startswith("emotion/box.py:")


@pytest.mark.parametrize("reader", ["print(__doc__)", "parse(description=__doc__)"])
def test_docstrings_of_a_module_that_reads_them_count(reader):
    (difference,) = differences(f'"""One."""\n{reader}\n', f'"""Two."""\n{reader}\n')
    assert "line 1" in difference
    assert differences(f'"""One."""\n{reader}\n', f'"""One."""\n{reader}  # again\n') == []


def test_a_docstring_counts_where_another_module_may_read_it():
    old, new = '"""One."""\n', '"""Two."""\n'
    assert differences(old, new) == []
    assert len(differences(old, new, docstrings=True)) == 1


@pytest.mark.parametrize(
    "code, expected",
    [
        ("print(box.__doc__)", True),
        ("getattr(box, '__doc__')", True),
        ("from inspect import getdoc", True),
        ("ConfigDict(use_attribute_docstrings=True)", True),
        ("Settings.model_json_schema()", True),
        ("TypeAdapter(int).json_schema()", True),
        ("from pydoc import render_doc", True),
        ("help(box)", True),
        ("fill.__code__.co_consts", True),
        ("parser.print_help()", False),
        ("add_argument(help='text')", False),
        ("print(__doc__)", False),
        ("print(documents)", False),
    ],
)
def test_modules_that_read_docstrings_of_others_are_found(code, expected):
    assert read_other_docstrings([b"", code.encode()]) is expected


@pytest.mark.parametrize(
    "code, word",
    [
        ("inspect.getsource(fill)", "getsource"),
        ("from inspect import getsourcelines", "getsourcelines"),
        ("inspect.getcomments(fill)", "getcomments"),
        ("import linecache", "linecache"),
        ("fill.__code__.co_firstlineno", "co_firstlineno"),
        ("sys._getframe().f_lineno", "f_lineno"),
        ("error.__traceback__.tb_lineno", "tb_lineno"),
    ],
)
def test_files_that_read_source_or_lines_are_named(code, word):
    (message,) = find_source_readers({"emotion/box.py": CODE.encode(), "emotion/reader.py": code.encode()})
    assert message.startswith("emotion/reader.py:")
    assert word in message
    assert "dvc repro" in message


def test_the_name_of_a_file_is_no_source():
    assert list(find_source_readers({"emotion/box.py": b"inspect.getfile(main); inspect.getsourcefile(main)"})) == []


def test_a_docstring_before_an_import_from_the_future_is_named():
    old = "from __future__ import annotations\n"
    (difference,) = differences(old, f'"""One."""\n"""Two."""\n{old}')
    assert difference.startswith("emotion/box.py:")
    assert differences(old, f'"""One."""\n{old}') == []


@pytest.mark.parametrize("path", ["emotion/card.md.j2", "emotion/cascade.xml", "emotion/weights.npy"])
def test_other_files_than_python_must_be_the_same_bytes(path):
    (difference,) = differences(b"# one\n", b"# two\n", path)
    assert path in difference
    assert list(compare_versions({path: b"\xff\x00"}, {path: b"\xff\x00"}, docstrings=False)) == []


@pytest.mark.parametrize("broken", [b"def f(:\n", b"\x00", b"\xff\xfe"])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_file_that_is_no_python_is_named(broken, swapped):
    pair = (broken, b"x = 1\n") if swapped else (b"x = 1\n", broken)
    (difference,) = differences(*pair)
    assert difference.startswith("emotion/box.py:")


def test_added_and_removed_files_are_named_even_when_they_are_empty():
    found = list(compare_versions({"a.py": b"", "b.py": b""}, {"b.py": b"", "c.py": b""}, docstrings=False))
    assert [text.partition(":")[0] for text in found] == ["a.py", "c.py"]
    assert "removed" in found[0]
    assert "added" in found[1]
