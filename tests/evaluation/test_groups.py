"""Errors by group: figures by hand, intervals against resamples drawn one by one, and columns that are refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from emotion.core.errors import InputError
from emotion.core.params import EvaluateParams
from emotion.evaluation import metrics
from emotion.evaluation.calibration import expected_calibration_error
from emotion.evaluation.group_columns import EMPTY, MOST_VALUES, select_columns, sort_values
from emotion.evaluation.groups import FEWEST_IMAGES, find_largest_gap, group_figures
from emotion.evaluation.report import SplitPredictions, score_split

EMOTIONS = ("angry", "happy", "sad")
PARAMS = EvaluateParams(flip=False, threshold=0.5, bootstrap=400, bins=5, seed=3, groups=["sex"])


def answers(y_true, hits, groups=None):
    """Return predictions of 0.8 for the actual emotion where `hits`, else for the next one."""
    y_true, hits = np.asarray(y_true), np.asarray(hits, dtype=bool)
    predicted = np.where(hits, y_true, (y_true + 1) % 3)
    return SplitPredictions(y_true, 0.1 + 0.7 * np.eye(3)[predicted], groups=groups)


def figures_of(values, predictions, temperature=1.0):
    return group_figures({"sex": values}, predictions, EMOTIONS, temperature=temperature, params=PARAMS)["sex"]


def test_figures_of_each_group_by_hand():
    # 40 women: 30 right, 20 angry of which 12 are right, 20 happy of which 18 are. 30 men: all angry, 15 right.
    women = answers([0] * 20 + [1] * 20, [True] * 12 + [False] * 8 + [True] * 18 + [False] * 2)
    men = answers([0] * 30, [True, False] * 15)
    rest = answers([2] * 5, [False] * 5)
    whole = SplitPredictions(
        np.concatenate([part.y_true for part in (rest, men, women)]),
        np.concatenate([part.probabilities for part in (rest, men, women)]),
    )
    column = figures_of([""] * 3 + ["other"] * 2 + ["male"] * 30 + ["female"] * 40, whole)
    values = column["values"]
    assert list(values) == ["female", "male", "other", EMPTY]
    assert (values["other"], values[EMPTY]) == ({"images": 2}, {"images": 3})
    female = values["female"]
    assert (female["images"], female["accuracy"]) == (40, 0.75)
    assert female["balanced_accuracy"] == pytest.approx((12 / 20 + 18 / 20) / 2)
    assert {name: one.get("recall") for name, one in female["recall"].items()} == {
        "angry": 0.6,
        "happy": 0.9,
        "sad": None,
    }
    assert female["recall"]["sad"] == {"images": 0}
    # Every confidence is 0.8.
    assert female["calibrated_overconfidence"] == pytest.approx(0.8 - 0.75)
    assert female["calibrated_expected_calibration_error"] == pytest.approx(0.05)
    assert values["male"]["calibrated_overconfidence"] == pytest.approx(0.8 - 0.5)
    gap = column["largest_gap"]
    assert (gap["higher"], gap["lower"], gap["accuracy_difference"]) == ("female", "male", 0.25)


def test_intervals_of_a_group_are_those_of_its_images_alone():
    rng = np.random.default_rng(0)
    predictions = answers(rng.integers(0, 3, 300), rng.random(300) < 0.7, groups=rng.integers(0, 40, 300))
    values = rng.choice(["a", "b"], 300)
    figures = figures_of(values.tolist(), predictions, temperature=1.7)["values"]["a"]
    alone = score_split(predictions.select(values == "a"), temperature=1.7, params=PARAMS)
    for name in ("images", "groups", "accuracy_low", "accuracy_high", "calibrated_expected_calibration_error"):
        assert figures[name] == pytest.approx(alone[name]), name


def test_gap_and_chance_against_resamples_of_persons_drawn_one_by_one():
    rng = np.random.default_rng(1)
    persons = rng.integers(0, 30, 400)  # uneven, and half of them with images of every value
    values = np.where(persons < 15, rng.choice(["a", "b", "c"], 400), np.array(["a", "b", "c"])[persons % 3])
    rates = np.where(values == "b", 0.5, 0.75) + rng.normal(0, 0.15, 30)[persons]
    predictions = answers(np.zeros(400, int), rng.random(400) < rates, groups=persons)
    gap = find_largest_gap(values.astype(object), ["a", "b", "c"], predictions, PARAMS)
    hits = predictions.probabilities.argmax(axis=1) == 0
    accuracies = {value: hits[values == value].mean() for value in "abc"}
    ordered = sorted("abc", key=lambda value: accuracies[value])
    assert (gap["lower"], gap["higher"]) == (ordered[0], ordered[-1])
    assert gap["accuracy_difference"] == pytest.approx(max(accuracies.values()) - min(accuracies.values()))
    differences, ranges = [], []
    for _ in range(1500):
        rows = np.concatenate([np.flatnonzero(persons == person) for person in rng.integers(0, 30, 30)])
        drawn = {value: hits[rows][values[rows] == value].mean() for value in "abc"}
        differences.append(drawn[gap["higher"]] - drawn[gap["lower"]])
        deviations = [drawn[value] - accuracies[value] for value in "abc"]
        ranges.append(max(deviations) - min(deviations))
    ends = [gap["accuracy_difference_low"], gap["accuracy_difference_high"]]
    np.testing.assert_allclose(ends, np.quantile(differences, [0.025, 0.975]), atol=0.03)
    assert gap["accuracy_difference_by_chance"] == pytest.approx(np.quantile(ranges, 0.95), abs=0.03)


def test_equally_accurate_groups_seldom_pass_chance_though_their_interval_leaves_out_zero():
    values = np.array([str(number % 12) for number in range(1200)], dtype=object)
    beyond = without_zero = 0
    for seed in range(40):
        hits = np.random.default_rng(seed).random(1200) < 0.7
        gap = find_largest_gap(values, sort_values(values), answers(np.zeros(1200, int), hits), PARAMS)
        beyond += gap["accuracy_difference"] > gap["accuracy_difference_by_chance"]
        without_zero += gap["accuracy_difference_low"] > 0
    assert beyond <= 6
    assert without_zero >= 20


def test_the_interval_of_the_calibration_error_holds_it_and_reaches_below_its_bias():
    # A calibrated model: the error of 60 images is chance alone.
    rng = np.random.default_rng(4)
    fair = rng.dirichlet(np.ones(3), 60)
    predictions = SplitPredictions(np.array([rng.choice(3, p=row) for row in fair]), fair)
    figures = figures_of(["a"] * 60, predictions)["values"]["a"]
    error, low, high = (figures[f"calibrated_expected_calibration_error{end}"] for end in ("", "_low", "_high"))
    assert error == pytest.approx(expected_calibration_error(predictions.y_true, fair, bins=5))
    assert 0 <= low < error <= high
    assert low < error / 2
    assert figures["calibrated_overconfidence_low"] < 0 < figures["calibrated_overconfidence_high"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("hits, persons", [([True] * 40, None), ([True, False] * 20, np.zeros(40, int))])
def test_resamples_that_do_not_differ_give_no_interval(hits, persons):
    predictions = answers([0] * 40 + [1] * 40, hits * 2, None if persons is None else np.append(persons, persons + 1))
    column = figures_of(["a"] * 40 + ["b"] * 40, predictions)
    a, gap = column["values"]["a"], column["largest_gap"]
    assert a["accuracy"] == np.mean(hits)
    assert gap["accuracy_difference"] == 0
    ends = [a["accuracy_low"], a["accuracy_high"], gap["accuracy_difference_low"], gap["accuracy_difference_by_chance"]]
    assert np.isnan(ends).all()


def test_one_scored_group_has_no_gap():
    column = figures_of(["a"] * 35 + ["b"] * (FEWEST_IMAGES - 1), answers([0] * 64, [True, False] * 32))
    assert "accuracy" in column["values"]["a"]
    assert column["values"]["b"] == {"images": FEWEST_IMAGES - 1}
    assert column["largest_gap"] is None


def test_the_threshold_of_two_emotions_holds_for_groups():
    pair = SplitPredictions(np.ones(60, int), np.tile([0.6, 0.4], (60, 1)))
    values = ["a", "b"] * 30
    for threshold, accuracy in ((metrics.EVEN, 0), (0.3, 1)):
        figures = group_figures(
            {"sex": values}, replace(pair, threshold=threshold), ("happy", "sad"), temperature=1.0, params=PARAMS
        )
        assert figures["sex"]["values"]["b"]["accuracy"] == accuracy


def test_values_are_sorted_by_the_numbers_in_them():
    assert sort_values(["10-19", "", "9", EMPTY, "100", "b", "B", "a2", "a10", "9"]) == [
        *("", "9", "10-19", "100", "a2", "a10", "B", "b", EMPTY)
    ]


def make_table(**columns):
    return pd.DataFrame({"image": [f"{place}.png" for place in range(40)], "channels": [1, 3] * 20, **columns})


def test_columns_are_taken_as_they_stand():
    table = make_table(sex=["female", "male", "", "male"] * 10, blank=[True, False] * 20)
    columns = select_columns(table, ["sex", "channels", "blank"])
    assert columns["sex"][:4] == ["female", "male", EMPTY, "male"]
    assert (columns["channels"][:2], columns["blank"][:2]) == (["1", "3"], ["True", "False"])
    assert select_columns(table, []) == {}


@pytest.mark.parametrize(
    "name, words",
    [
        ("gender", ["evaluate.groups", "'gender'", "sex", "age", "manifest"]),
        ("sex", ["evaluate.groups", "'sex'", "only 'female'", "40 scored images", "two"]),
        ("none", ["'none'", EMPTY, "another column"]),
        ("age", ["'age'", "40 values", str(MOST_VALUES), "age_group", "manifest"]),
    ],
)
def test_columns_that_are_no_groups_are_refused_with_the_remedy(name, words):
    table = make_table(sex="female", none="", age=[str(age) for age in range(20, 60)])
    with pytest.raises(InputError) as error:
        select_columns(table, [name])
    assert not [word for word in words if word not in str(error.value)]


def test_a_table_without_columns_of_its_own_and_an_option_are_named():
    with pytest.raises(InputError, match=r"^--groups: .*no columns of its own"):
        select_columns(make_table(), ["sex"], setting="--groups")
