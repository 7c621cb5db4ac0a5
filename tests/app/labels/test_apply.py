"""`emotion labels apply`: decisions go into data/labels, and params.yaml names them."""

import re
from functools import partial

import pytest

from emotion.app.labels.apply import apply_decisions
from emotion.core.errors import InputError
from emotion.core.params import PARAMS_FILE, load_params
from emotion.core.paths import LABELS, TABLE
from emotion.data.table import COLUMNS
from emotion.ingest.decision_file import read_decisions
from tests.ingest.decisions import HEADER, write_lines
from tests.makers import write_params

A, B, C = ("a" * 32, "b" * 32, "c" * 32)


@pytest.fixture
def apply(run_emotion, here):
    """Run `emotion labels apply` in a project with the committed params."""
    write_params_here(here)
    return partial(run_emotion, "labels", "apply")


def write_params_here(here):
    (here / "data").mkdir()
    write_params(here)


def save(here, *lines, name="saved.csv"):
    path = here / name
    path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    return path


def test_decisions_are_taken_and_named(here, apply):
    status, out, _ = apply(save(here, f"{A},sad,drop,,", f"{B},sad,change,happy,"))
    assert status == 0
    assert "0 confirm, 1 change, 1 drop" in out
    assert "dvc repro" in out
    assert load_params("labels").labels.decisions == "decisions.csv"
    assert read_decisions(LABELS / "decisions.csv")["hash"].tolist() == [A, B]


def test_later_decisions_are_added(here, apply):
    write_lines(f"{A},sad,drop,,", f"{B},sad,drop,,", name="mine.csv")
    status, out, _ = apply(save(here, f"{C},sad,drop,,", f"{B},sad,confirm,,"), "--name", "mine.csv")
    assert status == 0
    assert "mine.csv: 3 in all, 1 new, 1 in place of another decision" in out
    assert read_decisions(LABELS / "mine.csv")["decision"].tolist() == ["drop", "confirm", "drop"]
    assert load_params("labels").labels.decisions == "mine.csv"
    # Without --name, the file that the params name is taken.
    assert apply(save(here, f"{A},sad,confirm,,"))[0] == 0
    assert read_decisions(LABELS / "mine.csv")["decision"].tolist() == ["confirm", "confirm", "drop"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"{C},sad,drop,,", f"images that the source does not have.* {C}"),
        (f"{B},sad,change,hapy,", "unknown emotion 'hapy' .did you mean happy"),
    ],
)
def test_what_the_stage_would_refuse_is_not_taken(here, apply, line, reason):
    row = dict.fromkeys(COLUMNS, "0") | {"emotion": "sad", "blank": "False"}
    rows = [",".join((row | {"hash": key}).values()) for key in (A, B)]
    TABLE.write_text("\n".join([",".join(COLUMNS), *rows, ""]), encoding="utf-8")
    before = PARAMS_FILE.read_bytes()
    status, _, _ = apply(save(here, f"{A},sad,drop,,", line))
    assert re.search(reason, str(status))
    assert "dvc repro create_dataframe" in str(status)
    assert not LABELS.exists()
    assert PARAMS_FILE.read_bytes() == before
    assert apply(save(here, f"{A},sad,drop,,"))[0] == 0


def test_params_that_cannot_be_used_change_nothing(here, apply):
    PARAMS_FILE.write_text(PARAMS_FILE.read_text(encoding="utf-8") + "nonsense: 1\n", encoding="utf-8")
    before = PARAMS_FILE.read_bytes()
    assert re.search("nonsense", str(apply(save(here, f"{A},sad,drop,,"), "--name", "mine.csv")[0]))
    assert not LABELS.exists()
    assert PARAMS_FILE.read_bytes() == before


def test_a_name_that_is_no_name_changes_nothing(here, apply):
    with pytest.raises(InputError):
        apply_decisions(save(here, f"{A},sad,drop,,"), "../../outside.csv")
    assert not (here / "outside.csv").exists()
    assert not LABELS.exists()


def test_params_name_no_decisions_that_could_not_be_written(here, apply, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("emotion.app.labels.apply.write_decisions", fail)
    before = PARAMS_FILE.read_bytes()
    assert apply(save(here, f"{A},sad,drop,,"))[0] != 0
    assert PARAMS_FILE.read_bytes() == before


def test_a_file_that_lies_there_already_is_named(here, apply):
    path = write_lines(f"{A},sad,drop,,", name="own.csv")
    before = path.read_bytes()
    assert apply(path, "--name", "own.csv")[0] == 0
    assert path.read_bytes() == before
    assert load_params("labels").labels.decisions == "own.csv"


@pytest.mark.parametrize(
    "lines, options, said",
    [
        ([], [], "no decisions"),
        (["photo.png,sad,drop,,"], [], "'photo.png' as hash"),
        (
            [f"{A},sad,drop,,"],
            ["--name", "../raw/a.csv"],
            "--name: got '../raw/a.csv', expected the name",
        ),
    ],
)
def test_what_cannot_be_taken_changes_nothing(here, apply, lines, options, said):
    before = (here / "params.yaml").read_bytes()
    status, _, err = apply(save(here, *lines), *options)
    assert said in f"{status} {err}"
    assert (here / "params.yaml").read_bytes() == before
    assert not LABELS.exists()


def test_a_missing_file_is_named(here, apply):
    status, _, err = apply(here / "none.csv")
    assert "none.csv does not exist" in f"{status} {err}"
