"""The history of a training, read from the files that stage train writes."""

from pathlib import Path

import pandas as pd
import pytest

from emotion.core.errors import InputError
from emotion.core.paths import HISTORY
from emotion.plots.history import COLUMNS, read_history
from tests.makers import make_history, write_history


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_history(tmp_path, make_history(epochs=3))
    return tmp_path


def test_the_columns_of_all_files_stand_in_one_table():
    read = read_history()
    assert tuple(read.columns) == ("epoch", *COLUMNS)
    pd.testing.assert_frame_equal(read, make_history(epochs=3)[list(read.columns)])


@pytest.mark.parametrize(
    "text", [None, "", "epoch\tloss\n1\t2\n", "step\tother\n1\t2\n"], ids=["missing", "empty", "no step", "no loss"]
)
def test_a_file_that_cannot_be_read_is_named(text):
    path = HISTORY / "loss.tsv"
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"loss\.tsv .*`dvc repro train`"):
        read_history()


def test_files_of_different_epochs_are_refused():
    path = Path(HISTORY / "val_loss.tsv")
    path.write_text("step\tval_loss\n1\t2.0\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"val_loss\.tsv 1\b.*`dvc repro train`"):
        read_history()
