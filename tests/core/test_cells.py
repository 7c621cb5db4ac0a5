"""emotion.core.cells: texts that a spreadsheet would run are written so that it does not, and read as they were."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.core.cells import guard, unguard, unguard_table
from emotion.core.files import write_csv


@pytest.mark.parametrize(
    "text", ["=1+1.jpg", "+4.jpg", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=", "-", "'", "'=1", "-1.5.2"]
)
def test_what_would_run_gets_an_apostrophe(text):
    assert guard(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a=1.jpg", "happy/-1.jpg", "-9", "+1.5", "-.5e-10", "3", "/-2", " =1"])
def test_other_texts_and_numbers_stay(text):
    assert guard(text) == text


@pytest.mark.fuzz
@given(st.text())
def test_every_text_comes_back(text):
    assert unguard(guard(text)) == text


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1)


@pytest.mark.fuzz
@given(st.lists(st.tuples(TEXTS, st.integers(-(2**60), 2**60)), min_size=1))
def test_every_table_comes_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("cells") / "table.csv"
    table = pd.DataFrame({"=name": pd.Series([name for name, _ in rows], dtype="str"), "-": [n for _, n in rows]})
    write_csv(path, table)
    read = unguard_table(pd.read_csv(path, dtype={"'=name": "str"}, keep_default_na=False))
    assert list(read.columns) == ["=name", "-"]
    assert read["=name"].tolist() == table["=name"].tolist()
    assert read["-"].tolist() == table["-"].tolist()


def test_cells_with_a_formula_are_text(tmp_path):
    write_csv(tmp_path / "a.csv", pd.DataFrame({"image": ["=1+1.jpg", "b.jpg"], "x": [-9, 1]}))
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "image,x\n'=1+1.jpg,-9\nb.jpg,1\n"
