"""Numbers in texts: with their units and intervals, and a dash for what has no value."""

import math

import pytest

from emotion.presentation.formats import MISSING, figure_text, millions, number, percent


@pytest.mark.parametrize(
    "text, expected",
    [
        (percent(0.7838), "78.4 %"),
        (percent(0.7838, 0), "78 %"),
        (percent(1), "100.0 %"),
        (number(0.93123), "0.931"),
        (number(0.93123, 1), "0.9"),
        (number(1_518_759, 0), "1,518,759"),
        (millions(117_512_448), "117.5"),
        (millions(3_222_222, 2), "3.22"),
    ],
)
def test_numbers_are_written_with_so_many_decimals(text, expected):
    assert text == expected


@pytest.mark.parametrize("value", [None, math.nan])
def test_what_has_no_value_is_a_dash(value):
    assert [percent(value), number(value), number(value, 0)] == [MISSING] * 3


def test_a_score_has_its_interval():
    scores: dict[str, float | None] = {
        "accuracy": 0.688,
        "accuracy_low": 0.673,
        "accuracy_high": 0.703,
        "balanced_accuracy": 0.66,
    }
    scores |= {"macro_f1": 0.671, "macro_f1_low": 0.648, "macro_f1_high": 0.694, "roc_auc": None}
    assert figure_text(scores, "accuracy") == "68.8 % (67.3 to 70.3)"
    assert figure_text(scores, "balanced_accuracy") == "66.0 %"
    assert figure_text(scores, "macro_f1") == "0.671 (0.648 to 0.694)"
    assert figure_text(scores, "roc_auc") == MISSING
