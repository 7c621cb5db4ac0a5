"""The benchmark of suspect labels: shares against people's choices, and the decisions that it writes."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.label_audit import SURE, WAYS, measure_suspects, precision, read_suspects, score
from emotion.app.labels.files import SUSPECTS
from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.ingest.decision_file import find_decisions, read_decisions, write_decisions


@pytest.fixture
def table():
    columns = {"emotion": ["sad", "happy", "fear", "angry", "sad"], "split": ["train", "val", "train", "train", "test"]}
    return pd.DataFrame({"image": [f"row {row}" for row in range(5)], "excluded": ""} | columns)


@pytest.fixture
def suspects(here, table):
    """Three suspects as the audit writes them, with what most people chose."""
    surest = [SURE, 0.5, SURE]
    rows = pd.DataFrame({"image": ["row 2", "row 0", "row 1"], "given": ["fear", "sad", "happy"]})
    rows = rows.assign(hash=[letter * 32 for letter in "abc"], suggested=["angry", "neutral", "sad"])
    shares = {f"p_{name}": 0.0 for name in EMOTIONS} | {"p_angry": surest}
    SUSPECTS.parent.mkdir(parents=True)
    rows.assign(**shares).to_csv(SUSPECTS, index=False)
    return read_suspects(table, pd.Series(["sad", "no face", "angry", "angry", "happy"]))


def test_suspects_are_held_against_what_most_people_chose(table, suspects):
    assert suspects["people"].tolist() == ["angry", "sad", "no face"]
    wanted = {"contradicted": 2 / 3, "suggestion_right": 1 / 3, "no_emotion_of_the_seven": 1 / 3}
    assert precision(suspects) == pytest.approx(wanted)
    found = measure_suspects(suspects, table, pd.Series(["sad", "no face", "angry", "angry", "happy"]))
    assert (found["audited"], found["suspects"], found["recall"]) == (4, 3, 1.0)
    assert found["contradicted"] == {"images": 2, "share": 0.5}


@pytest.mark.parametrize(
    "way, words",
    [
        ("people", {"a": "change angry", "b": "confirm ", "c": "drop "}),
        ("models", {"a": "change angry", "c": "change sad"}),
        ("prune", {"a": "drop ", "b": "drop ", "c": "drop "}),
    ],
)
def test_decisions_can_be_read(here, suspects, way, words):
    write_decisions(here / "data/labels/one.csv", WAYS[way](suspects))
    read = read_decisions(find_decisions("one.csv"))
    said = read["decision"] + " " + read["emotion"]
    assert dict(zip(read["hash"].str[0], said, strict=True)) == words


def test_suspects_that_are_missing_are_asked_for(here, table):
    with pytest.raises(InputError, match="emotion labels audit"):
        read_suspects(table, table["emotion"])


def test_scores_are_means_over_the_emotions():
    y_true = np.repeat(np.arange(7), 4)
    y_pred = y_true.copy()
    y_pred[:2] = 1
    found = score(y_true, y_pred)
    assert found["images"] == 28
    assert found["accuracy"] == pytest.approx(26 / 28)
    assert found["balanced_accuracy"] == pytest.approx(6.5 / 7)
    assert found["recall"]["angry"] == 0.5
    assert found["macro_f1"] == pytest.approx((5 + 2 / 3 + 0.8) / 7)
