"""Decisions of people on labels, in the table of images: changed labels, dropped images, and refusals."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.core.paths import DATASET_METRICS, TABLE
from emotion.data.table import read_table
from emotion.ingest.ferplus import parse_votes
from emotion.ingest.sources.pixel_hash import hash_pixels
from stages import create_dataframe
from tests.ingest.decisions import write_lines
from tests.makers import Row, csv_text, make_rows, votes_for, write_ferplus, write_files, write_params

ROWS = make_rows(per_class=2)
"""Two images of each of the seven emotions in each split: `train` 0 to 13, `val` to 27, `test` to 41."""


def hash_of(row: Row) -> str:
    return hash_pixels(row[2][:, :, None])


def line(number: int, decision: str, emotion: str = "", given: str | None = None, rows: list[Row] = ROWS) -> str:
    return f"{hash_of(rows[number])},{given or rows[number][0]},{decision},{emotion},"


@pytest.fixture
def run(here):
    """Run create_dataframe on rows of FER2013, with lines of decisions; return the table and the counts."""

    def run_there(
        *lines: str, rows: list[Row] = ROWS, votes: list[dict[str, int]] | None = None, **changes: object
    ) -> tuple[pd.DataFrame, dict[str, Any]]:
        if votes is None:
            write_files(here / "data/raw", {"fer2013.csv": csv_text(rows).encode()})
        else:
            write_ferplus(here / "data/raw", rows, votes)
        write_lines(*lines)
        write_params(here, **({"labels_decisions": "decisions.csv"} | changes))
        create_dataframe.main()
        return read_table(TABLE), json.loads(DATASET_METRICS.read_text(encoding="utf-8"))

    return run_there


def test_labels_are_changed_and_images_dropped(run, capsys):
    before, counts_before = run(labels_decisions=None)
    lines = (
        line(0, "change", "Sadness"),
        line(2, "confirm"),
        line(5, "drop"),
        line(14, "drop"),
        line(28, "change", "sad"),
    )
    table, counts = run(*lines)
    assert "decision" not in before
    assert "decisions" not in counts_before
    assert "dropped" not in counts_before["excluded"]
    assert table["emotion"].tolist() == ["sad", *before["emotion"][1:28], "sad", *before["emotion"][29:]]
    assert table["label"][0] == EMOTIONS.index("sad")
    assert table["excluded"].tolist() == ["dropped" if row in (5, 14) else "" for row in range(42)]
    assert table["decision"][[0, 1, 2, 5, 14]].tolist() == ["change", "", "confirm", "drop", "drop"]
    assert table["split"].equals(before["split"])
    assert counts["excluded"]["dropped"] == counts["excluded"]["total"] == 2
    assert counts["decisions"] == {
        "confirmed": {"total": 1, "train": 1, "val": 0, "test": 0},
        "changed": {"total": 2, "train": 1, "val": 0, "test": 1},
        "dropped": {"total": 2, "train": 1, "val": 1, "test": 0},
    }
    assert counts["images"]["train"]["sad"] == counts_before["images"]["train"]["sad"] + 1
    assert counts["sha256"] != counts_before["sha256"]
    assert "decisions.csv: of the images, 1 confirmed, 2 changed, 2 dropped" in capsys.readouterr().out


def test_splits_do_not_depend_on_decisions(run):
    rows = [(emotion, "train", image) for emotion, _, image in make_rows(per_class=10, seed=3)]
    before, _ = run(rows=rows, labels_decisions=None)
    table, _ = run(*(line(number, "change", "happy", rows=rows) for number in range(0, 40, 3)), rows=rows)
    assert table["split"].equals(before["split"])


def test_a_decision_holds_for_all_copies_and_a_dropped_image_holds_none_back(run):
    rows = list(ROWS)
    rows[1] = ("fear", "train", rows[0][2])  # a copy of row 0 with another label
    rows[2] = ("disgust", "train", rows[30][2])  # a copy of a test image
    assert run(rows=rows, labels_decisions=None)[0]["excluded"][2] == "copy of test"
    table, counts = run(line(0, "confirm", rows=rows), line(30, "drop", rows=rows), rows=rows)
    assert table["emotion"][[0, 1]].tolist() == ["angry", "angry"]
    assert table["excluded"][[2, 30]].tolist() == ["dropped", "dropped"]
    assert counts["excluded"]["copy_of_test"] == 0
    assert counts["conflicting_labels"]["groups"] == 0


def test_names_of_classes_stand_for_their_emotions(run):
    scheme = ["happy", {"negative": ["angry", "disgust", "fear", "sad"]}]
    lines = (line(0, "change", "happy", given="negative"), line(2, "confirm", given="negative"))
    more = (line(6, "change", "negative"), line(4, "change", "neutral", given="fear"))
    table, counts = run(*lines, *more, labels_scheme=scheme)
    assert table["emotion"][[0, 2, 6, 4]].tolist() == ["happy", "negative", "negative", "neutral"]
    assert table["label"][[0, 2, 6, 4]].tolist() == [0, 1, 1, -1]
    assert table["excluded"][4] == "scheme"
    assert counts["decisions"]["changed"]["total"] == 3


def test_the_emotion_of_a_decision_has_all_votes(run):
    rows = make_rows(per_class=2, emotions=(*EMOTIONS, "contempt"))
    votes = [
        votes_for(**{emotion: 6, "unknown": 1, "sad" if emotion != "sad" else "fear": 3}) for emotion, _, _ in rows
    ]
    rows = [("sad" if emotion == "contempt" else emotion, split, image) for emotion, split, image in rows]
    lines = (line(0, "change", "contempt", rows=rows), line(2, "confirm", rows=rows))
    table, _ = run(*lines, rows=rows, votes=votes, labels_scheme="ferplus", labels_targets="votes")
    told = parse_votes(table["votes"])
    assert table["emotion"][0] == "contempt"
    np.testing.assert_array_equal(told[0], [0, 0, 0, 0, 0, 0, 0, 9])
    np.testing.assert_array_equal(told[2], [0, 6, 0, 0, 3, 0, 0, 0])


GONE = "f" * 32


@pytest.mark.parametrize(
    "lines, said",
    [
        ([f"{GONE},sad,drop,,", line(0, "drop")], rf"1 of 2 decisions.*do.* not have.*changed.*{GONE}.*delete.*null"),
        ([line(0, "confirm", given="sad")], rf"1 of 1.*{hash_of(ROWS[0])}: got 'sad'.*'angry'.*[Dd]ecide again.*null"),
        ([line(0, "change", "hapy")], r"unknown emotion 'hapy' \(did you mean happy\?\).*angry.*contempt"),
        ([line(0, "change", "bored")], "unknown emotion 'bored'.*expected one of angry"),
    ],
)
def test_decisions_that_do_not_fit_are_refused(run, lines, said):
    with pytest.raises(InputError, match=f"decisions.csv: .*{said}"):
        run(*lines)


def test_decisions_on_labels_do_not_fit_those_of_votes(run):
    votes = [votes_for(sad=7) if row == 0 else votes_for(**{emotion: 7}) for row, (emotion, _, _) in enumerate(ROWS)]
    with pytest.raises(InputError, match=r"got 'angry' as given, but the label is 'sad'.*FER\+"):
        run(line(0, "confirm"), votes=votes, labels_scheme="ferplus")


def test_a_class_that_loses_all_images_is_refused(run):
    with pytest.raises(InputError, match="no images of angry in train"):
        run(line(0, "drop"), line(1, "drop"))
