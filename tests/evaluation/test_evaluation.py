"""Figures against values worked out by hand; what is chosen on a split and what is only scored."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    precision_recall_fscore_support,
    roc_auc_score,
)

from emotion.core.errors import InputError
from emotion.core.files import rounded, write_csv
from emotion.core.params import EvaluateParams
from emotion.evaluation import calibration, curves, metrics
from emotion.evaluation.bootstrap import bootstrap_interval
from emotion.evaluation.report import (
    SplitPredictions,
    find_unique,
    make_report,
    number_groups,
    score_by_class,
    score_split,
)
from emotion.evaluation.threshold import check_threshold, choose_threshold, count_by_threshold
from emotion.model_files.probabilities import predict_probabilities

NAN = float("nan")
EMOTIONS = ("angry", "happy", "sad")
PARAMS = EvaluateParams(flip=False, threshold=0.5, bootstrap=200, bins=5, seed=3, groups=[])

# Five images. No image shows sad (2), which is predicted once.
#           angry happy sad    predicted  right
PREDICTIONS = [
    (0, [0.80, 0.15, 0.05]),  # angry    yes
    (0, [0.30, 0.60, 0.10]),  # happy    no
    (1, [0.10, 0.90, 0.00]),  # happy    yes
    (1, [0.25, 0.35, 0.40]),  # sad      no
    (1, [0.05, 0.95, 0.00]),  # happy    yes
]
Y_TRUE = np.array([label for label, _ in PREDICTIONS])
PROBABILITIES = np.array([row for _, row in PREDICTIONS])
CONFUSION = np.array([[1, 1, 0], [0, 2, 1], [0, 0, 0]])


def random_predictions(images=600, classes=4, seed=0, scale=2.0):
    rng = np.random.default_rng(seed)
    y_true = rng.integers(0, classes, images)
    logits = rng.normal(size=(images, classes)) + scale * np.eye(classes)[y_true]
    powers = np.exp(logits)
    return SplitPredictions(y_true, powers / powers.sum(axis=1, keepdims=True))


def test_confusion_counts_actual_down_and_predicted_across():
    y_pred = metrics.predicted_labels(PROBABILITIES, metrics.EVEN)
    assert y_pred.tolist() == [0, 1, 1, 2, 1]
    assert metrics.count_confusion(Y_TRUE, y_pred, 3).tolist() == CONFUSION.tolist()


def test_figures_by_hand_with_an_absent_emotion():
    assert metrics.accuracy(CONFUSION) == pytest.approx(3 / 5)
    # Recall: angry 1 of 2, happy 2 of 3; sad has no images.
    np.testing.assert_allclose(metrics.recall(CONFUSION), [1 / 2, 2 / 3, NAN])
    assert metrics.balanced_accuracy(CONFUSION) == pytest.approx((1 / 2 + 2 / 3) / 2)
    # Precision: angry 1 of 1, happy 2 of 3; sad was predicted once, but is absent.
    np.testing.assert_allclose(metrics.precision(CONFUSION), [1, 2 / 3, NAN])
    # F1: angry 2 * 1 / (2 + 1), happy 2 * 2 / (3 + 3).
    np.testing.assert_allclose(metrics.f1(CONFUSION), [2 / 3, 2 / 3, NAN])
    assert metrics.macro_f1(CONFUSION) == pytest.approx(2 / 3)


def test_an_emotion_that_is_present_and_never_predicted():
    confusion = np.array([[3, 0], [2, 0]])
    np.testing.assert_allclose(metrics.precision(confusion), [3 / 5, NAN])
    np.testing.assert_allclose(metrics.f1(confusion), [6 / 8, 0])
    assert metrics.macro_f1(confusion) == pytest.approx(3 / 8)


def test_log_loss_by_hand():
    expected = -np.log([0.80, 0.30, 0.90, 0.35, 0.95]).mean()
    assert metrics.log_loss(Y_TRUE, PROBABILITIES) == pytest.approx(expected)


def test_log_loss_of_a_sure_mistake_is_finite():
    assert metrics.log_loss(np.array([1]), np.array([[1.0, 0.0]])) == pytest.approx(-np.log(1e-7))


def test_top_accuracy_by_hand():
    # Best two: {0, 1}, {1, 0}, {1, 0}, {2, 1}, {1, 0}: each holds the actual one.
    assert metrics.top_accuracy(Y_TRUE, PROBABILITIES, count=2) == 1
    assert metrics.top_accuracy(np.array([2, 0, 0, 0, 2]), PROBABILITIES, count=2) == pytest.approx(2 / 5)
    assert metrics.top_accuracy(Y_TRUE, PROBABILITIES, count=1) == metrics.accuracy(CONFUSION)


def test_equal_probabilities_rank_by_label():
    even = np.full((3, 3), 1 / 3)
    assert metrics.top_accuracy(np.array([0, 1, 2]), even, count=1) == pytest.approx(1 / 3)
    assert metrics.top_accuracy(np.array([0, 1, 2]), even, count=2) == pytest.approx(2 / 3)


def test_expected_calibration_error_by_hand():
    # Five bins of 0.2. Confidences 0.8 (right) and 0.6 (wrong) and 0.4 (wrong) are upper ends and stay in their
    # bins: (0.6, 0.8] has accuracy 1, gap 0.2; (0.4, 0.6] accuracy 0, gap 0.6; (0.2, 0.4] accuracy 0, gap 0.4;
    # (0.8, 1] has 0.9 and 0.95, both right: gap 1 - 0.925 = 0.075.
    expected = (0.2 + 0.6 + 0.4 + 2 * 0.075) / 5
    assert calibration.expected_calibration_error(Y_TRUE, PROBABILITIES, bins=5) == pytest.approx(expected)


def test_areas_by_hand():
    # angry: positives score 0.80 and 0.30, negatives 0.10, 0.25, 0.05: every pair in order.
    # happy: positives 0.90, 0.35, 0.95, negatives 0.15 and 0.60: 5 of 6 pairs in order. sad is absent.
    np.testing.assert_allclose(curves.roc_auc(Y_TRUE, PROBABILITIES), [1, 5 / 6, NAN])
    # happy from the top: right, right, wrong, right: precision 1, 1 and 3/4 at its three images.
    np.testing.assert_allclose(curves.average_precision(Y_TRUE, PROBABILITIES), [1, (1 + 1 + 3 / 4) / 3, NAN])


def test_means_agree_with_scikit_learn_where_nothing_is_absent():
    predictions = random_predictions()
    y_pred = metrics.predicted_labels(predictions.probabilities, metrics.EVEN)
    assert metrics.macro_f1(predictions.confusion) == pytest.approx(
        f1_score(predictions.y_true, y_pred, average="macro")
    )
    expected = balanced_accuracy_score(predictions.y_true, y_pred)
    assert metrics.balanced_accuracy(predictions.confusion) == pytest.approx(expected)


def test_labels_out_of_range_are_refused():
    with pytest.raises(ValueError, match="expected 0 to 2"):
        metrics.count_confusion(np.array([3]), np.array([0]), 3)
    with pytest.raises(ValueError, match="as many"):
        metrics.count_confusion(np.array([1, 2]), np.array([0]), 3)


@pytest.mark.filterwarnings("error")
def test_score_of_no_images_has_no_values_and_gives_no_warning():
    figures = score_split(SplitPredictions(Y_TRUE[:0], PROBABILITIES[:0]), temperature=1.3, params=PARAMS)
    assert figures.pop("images") == 0
    assert all(np.isnan(value) for value in figures.values())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("images", [1, 2, 5])
def test_score_of_few_images_gives_no_warning(images):
    predictions = SplitPredictions(Y_TRUE[:images], PROBABILITIES[:images])
    assert score_split(predictions, temperature=1.3, params=PARAMS)["images"] == images
    assert score_by_class(predictions, EMOTIONS)["sad"]["support"] == 0


# --- intervals


def test_the_interval_holds_the_figure_and_comes_out_the_same_again():
    confusion = random_predictions().confusion
    for statistic in (metrics.accuracy, metrics.macro_f1):
        low, high = bootstrap_interval(confusion, statistic, resamples=500, seed=1)
        assert low < statistic(confusion) < high
        assert (low, high) == bootstrap_interval(confusion, statistic, resamples=500, seed=1)
        assert (low, high) != bootstrap_interval(confusion, statistic, resamples=500, seed=2)


def test_the_interval_of_accuracy_is_as_wide_as_theory_says():
    confusion = random_predictions(images=2000).confusion
    accuracy = metrics.accuracy(confusion)
    low, high = bootstrap_interval(confusion, metrics.accuracy, resamples=4000, seed=1)
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(accuracy * (1 - accuracy) / 2000), rel=0.06)


def test_the_interval_agrees_with_drawing_images_one_by_one():
    predictions, rng = random_predictions(images=300), np.random.default_rng(5)
    figures = [
        metrics.macro_f1(predictions.select(rng.integers(0, 300, 300)).confusion)  # select takes indices as well
        for _ in range(2000)
    ]
    drawn = bootstrap_interval(predictions.confusion, metrics.macro_f1, resamples=2000, seed=5)
    np.testing.assert_allclose(drawn, np.quantile(figures, [0.025, 0.975]), atol=0.01)


def test_the_interval_by_group_is_that_of_drawing_groups_one_by_one():
    """Ten images of each of 40 groups are all right or all wrong, so there are 40 independent draws and not 400."""
    rng = np.random.default_rng(3)
    right = np.repeat(rng.random(40) < 0.7, 10)
    predictions = binary_predictions([(1, 0.9 if one else 0.1) for one in right])
    by_image = bootstrap_interval(predictions.confusion, metrics.accuracy, resamples=2000, seed=1)
    grouped = replace(predictions, groups=np.repeat(np.arange(40), 10))
    assert grouped.resampled.shape == (40, 2, 2)
    by_group = bootstrap_interval(grouped.resampled, metrics.accuracy, resamples=2000, seed=1)
    width = 2 * 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / 40)
    assert by_group[1] - by_group[0] == pytest.approx(width, rel=0.1)
    assert by_image[1] - by_image[0] == pytest.approx(width / np.sqrt(10), rel=0.1)
    uneven = replace(random_predictions(images=300), groups=np.sort(rng.integers(0, 25, 300)))
    members = [np.flatnonzero(uneven.groups == group) for group in np.unique(uneven.groups)]
    figures = [
        metrics.macro_f1(uneven.select(np.concatenate([members[one] for one in rng.integers(0, 25, 25)])).confusion)
        for _ in range(1000)
    ]
    drawn = bootstrap_interval(uneven.resampled, metrics.macro_f1, resamples=2000, seed=5)
    np.testing.assert_allclose(drawn, np.quantile(figures, [0.025, 0.975]), atol=0.015)


def test_draws_of_groups_come_out_the_same_in_blocks(monkeypatch):
    confusions = np.random.default_rng(0).integers(0, 9, (50, 3, 3))
    whole = bootstrap_interval(confusions, metrics.macro_f1, resamples=300, seed=2)
    monkeypatch.setattr("emotion.evaluation.bootstrap.MOST_DRAWS", 120)
    assert bootstrap_interval(confusions, metrics.macro_f1, resamples=300, seed=2) == whole


def test_groups_widen_the_intervals_and_move_no_other_figure():
    test = random_predictions(seed=2)
    alone = report_of(random_predictions(seed=1), test)
    assert "bootstrap_by" not in alone
    names = pd.Series([f"person {number % 20}" for number in range(590)] + [""] * 10)
    grouped = report_of(random_predictions(seed=1), replace(test, groups=number_groups(names)))
    assert grouped.pop("bootstrap_by") == "group"
    assert grouped["test"].pop("groups") == 30
    assert grouped["test_unique"].pop("groups") <= 30
    moved = {name for name, value in alone["test"].items() if grouped["test"][name] != value}
    assert moved == {f"{name}_{end}" for name in ("accuracy", "macro_f1") for end in ("low", "high")}
    assert number_groups(pd.Series(["", ""])) is None


# --- calibration


def test_the_temperature_that_was_put_in_is_fitted():
    rng = np.random.default_rng(7)
    fair = rng.dirichlet(np.full(5, 0.6), size=20_000)
    y_true = np.array([rng.choice(5, p=row) for row in fair])
    overconfident = metrics.apply_temperature(fair, 1 / 1.8)
    assert calibration.fit_temperature(y_true, overconfident) == pytest.approx(1.8, rel=0.03)
    assert calibration.fit_temperature(y_true, fair) == pytest.approx(1.0, rel=0.03)


def test_no_images_have_no_temperature():
    with pytest.raises(ValueError, match="validation"):
        calibration.fit_temperature(Y_TRUE[:0], PROBABILITIES[:0])


def test_a_temperature_keeps_order_and_sums():
    warm = metrics.apply_temperature(PROBABILITIES, 3.0)
    np.testing.assert_allclose(warm.sum(axis=1), 1)
    assert metrics.most_probable_labels(warm).tolist() == metrics.most_probable_labels(PROBABILITIES).tolist()
    np.testing.assert_allclose(metrics.apply_temperature(PROBABILITIES, 1.0), PROBABILITIES, atol=1e-6)


def test_reliability_bins_leave_empty_ones_out():
    rows = calibration.reliability_bins(np.array([0.05, 0.1, 1.0]), np.array([False, True, True]), bins=10)
    assert rows["bin_low"].tolist() == [0.0, 0.9]
    assert rows["images"].tolist() == [2, 1]
    assert rows["accuracy"].tolist() == [0.5, 1.0]
    assert rows["confidence"].tolist() == pytest.approx([0.075, 1.0])


# --- what is chosen, and what is only scored


def report_of(validation, test, unique=None):
    unique = np.ones(len(test.y_true), dtype=bool) if unique is None else unique
    return make_report(validation, test, unique=unique, emotions=("a", "b", "c", "d"), params=PARAMS)


def poisoned(predictions):
    return SplitPredictions((predictions.y_true + 1) % 4, predictions.probabilities)


def test_poisoned_test_labels_change_no_choice():
    validation, test = random_predictions(seed=1), random_predictions(seed=2)
    honest, poisoned_report = report_of(validation, test), report_of(validation, poisoned(test))
    assert poisoned_report["temperature"] == honest["temperature"]
    assert poisoned_report["validation"] == honest["validation"]
    assert poisoned_report["test"]["accuracy"] < 0.3 < honest["test"]["accuracy"]


def test_poisoned_validation_labels_change_the_temperature_and_no_raw_figure_of_test():
    validation, test = random_predictions(seed=1), random_predictions(seed=2)
    honest, poisoned_report = report_of(validation, test), report_of(poisoned(validation), test)
    assert poisoned_report["temperature"] > honest["temperature"]
    for split in ("test", "test_unique"):
        for name, value in honest[split].items():
            assert (poisoned_report[split][name] == value) != name.startswith("calibrated"), name


def test_images_with_copies_are_left_out_of_test_unique():
    table = pd.DataFrame(
        {"hash": ["a", "b", "c", "a", "d", "d"], "split": ["train", "train", "test", "test", "test", "test"]}
    )
    unique_rows = find_unique(table["hash"])
    assert unique_rows.tolist() == [False, True, True, False, False, False]
    validation, test = random_predictions(seed=1), random_predictions(seed=2, images=4)
    unique = unique_rows[(table["split"] == "test").to_numpy()]
    report = report_of(validation, test, unique)
    assert report["test"]["images"] == 4
    assert report["test_unique"]["images"] == 1
    assert report["test_unique"]["accuracy"] == float(test.probabilities[0].argmax() == test.y_true[0])


def test_by_class_names_every_emotion_in_order():
    by_class = score_by_class(SplitPredictions(Y_TRUE, PROBABILITIES), EMOTIONS)
    assert list(by_class) == list(EMOTIONS)
    assert [figures["support"] for figures in by_class.values()] == [2, 3, 0]
    assert np.isnan(by_class["sad"]["precision"])


# --- two emotions

PAIR = ("happy", "sad")
SCORES = st.one_of(st.floats(0, 1, width=32), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))
BINARY_IMAGES = st.lists(st.tuples(st.integers(0, 1), SCORES), min_size=1, max_size=40)
THRESHOLDS = st.floats(0, 1, exclude_min=True, exclude_max=True)


def binary_predictions(images, threshold=0.5):
    """Return predictions for pairs of a label and the probability of label 1."""
    labels, scores = zip(*images, strict=True)
    second = np.array(scores, dtype=np.float64)
    return SplitPredictions(np.array(labels), np.stack([1 - second, second], axis=1), threshold)


def skewed_predictions(seed, threshold=0.5):
    """Return predictions of a model that predicts label 1 too often, so that a threshold above 0.5 is better."""
    rng = np.random.default_rng(seed)
    y_true = (rng.random(400) < 0.4).astype(int)
    second = 1 / (1 + np.exp(-rng.normal(1 + 2.5 * (2 * y_true - 1), 1.5)))
    return SplitPredictions(y_true, np.stack([1 - second, second], axis=1), threshold)


def report_of_two(validation, test):
    unique = np.ones(len(test.y_true), dtype=bool)
    return make_report(validation, test, unique=unique, emotions=PAIR, params=PARAMS)


@given(BINARY_IMAGES)
def test_a_threshold_of_a_half_predicts_the_most_probable_one(images):
    probabilities = binary_predictions(images).probabilities
    expected = probabilities.argmax(axis=1).tolist()
    assert metrics.predicted_labels(probabilities, 0.5).tolist() == expected
    assert metrics.most_probable_labels(probabilities).tolist() == expected


def test_an_image_at_the_threshold_shows_the_first_emotion():
    probabilities = np.array([[0.7, 0.3], [0.6, 0.4], [0.5, 0.5]])
    assert metrics.predicted_labels(probabilities, 0.4).tolist() == [0, 0, 1]


def test_a_threshold_has_no_effect_on_more_than_two_emotions():
    assert metrics.predicted_labels(PROBABILITIES, 0.9).tolist() == [0, 1, 1, 2, 1]


@pytest.mark.medium
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@given(BINARY_IMAGES, THRESHOLDS)
def test_figures_of_two_emotions_agree_with_scikit_learn(images, threshold):
    predictions = binary_predictions(images, threshold)
    y_pred = (predictions.probabilities[:, 1] > threshold).astype(int)
    columns = precision_recall_fscore_support(predictions.y_true, y_pred, labels=[0, 1], zero_division=np.nan)
    by_class = score_by_class(predictions, PAIR)
    for label, emotion in enumerate(PAIR):
        positive = predictions.y_true == label
        figures = by_class[emotion]
        assert figures["support"] == positive.sum()
        if not positive.any():
            assert np.isnan(figures["f1"])
            continue
        expected = [column[label] for column in columns[:3]]
        np.testing.assert_allclose([figures["precision"], figures["recall"], figures["f1"]], expected)
        if not positive.all():
            area = roc_auc_score(positive, predictions.probabilities[:, label])
            assert figures["roc_auc"] == pytest.approx(area)


@pytest.mark.medium
@given(BINARY_IMAGES, THRESHOLDS)
def test_no_other_threshold_is_better_on_validation(images, other):
    # Scores of three decimals, so that rounding the middles to five moves none over a score.
    predictions = binary_predictions([(label, round(score, 3)) for label, score in images])
    chosen = choose_threshold(predictions.y_true, predictions.probabilities)
    assert 0 < chosen < 1

    def value(threshold):
        return metrics.macro_f1(SplitPredictions(predictions.y_true, predictions.probabilities, threshold).confusion)

    for threshold in (other, 0.5, *np.linspace(0.0005, 0.9995, 112)):
        assert value(chosen) >= value(threshold) - 1e-12
    assert chosen == 0.5 or value(chosen) > value(0.5)


def test_of_equally_good_thresholds_the_one_nearest_to_a_half_is_chosen():
    assert choose_threshold(np.array([0, 1]), np.array([[0.9, 0.1], [0.1, 0.9]])) == 0.5
    # 0.15, between 0.1 and 0.2, and 0.3 have one mistake each; 0.3 is nearer.
    predictions = binary_predictions([(0, 0.1), (1, 0.2), (0, 0.25), (1, 0.35)])
    assert choose_threshold(predictions.y_true, predictions.probabilities) == pytest.approx(0.3)


@given(BINARY_IMAGES, st.lists(THRESHOLDS, min_size=1, max_size=5))
def test_counts_by_threshold_are_those_of_the_rule(images, thresholds):
    predictions = binary_predictions(images)
    counts = count_by_threshold(predictions.y_true, predictions.probabilities[:, 1], np.array(thresholds))
    for confusion, threshold in zip(counts, thresholds, strict=True):
        expected = SplitPredictions(predictions.y_true, predictions.probabilities, threshold).confusion
        assert confusion.tolist() == expected.tolist()


def test_the_report_of_two_emotions_has_the_figures_at_validations_threshold():
    validation, test = skewed_predictions(1), skewed_predictions(2)
    report = report_of_two(validation, test)
    section = report["threshold"]
    assert section["used"] == 0.5
    assert section["validation_choice"] > 0.5
    assert section["at_validation_choice"]["test"]["macro_f1"] > report["test"]["macro_f1"]
    # Used, it gives just that.
    used = section["validation_choice"]
    again = report_of_two(skewed_predictions(1, used), skewed_predictions(2, used))
    for split in ("validation", "test"):
        for name in ("accuracy", "macro_f1"):
            assert again[split][name] == section["at_validation_choice"][split][name]
    assert again["threshold"]["validation_choice"] == used
    assert rounded(used) == used  # the number in the file can be written into params.yaml


def test_a_threshold_moves_no_figure_of_probabilities():
    even, high = (report_of_two(skewed_predictions(1, used), skewed_predictions(2, used)) for used in (0.5, 0.9))
    moved = {name for name, value in even["test"].items() if high["test"][name] != value}
    right_and_wrong = {"accuracy", "balanced_accuracy", "macro_f1"}
    assert moved == right_and_wrong | {f"{name}_{end}" for name in ("accuracy", "macro_f1") for end in ("low", "high")}
    assert high["temperature"] == even["temperature"]


def test_poisoned_test_labels_do_not_move_validations_threshold():
    validation, test = skewed_predictions(1), skewed_predictions(2)
    poisoned_report = report_of_two(validation, SplitPredictions(1 - test.y_true, test.probabilities))
    honest = report_of_two(validation, test)
    assert poisoned_report["threshold"]["validation_choice"] == honest["threshold"]["validation_choice"]


def test_two_emotions_and_more_have_figures_of_their_own():
    two = report_of_two(skewed_predictions(1), skewed_predictions(2))
    four = report_of(random_predictions(seed=1), random_predictions(seed=2))
    assert "threshold" in two
    assert "threshold" not in four
    assert "top_2_accuracy" not in two["test"]
    assert "top_2_accuracy" in four["test"]


def test_a_threshold_for_more_than_two_emotions_is_refused():
    check_threshold(0.3, PAIR)
    check_threshold(0.5, EMOTIONS)
    with pytest.raises(InputError, match=r"evaluate\.threshold: got 0\.3, expected 0\.5"):
        check_threshold(0.3, EMOTIONS)


def test_confidence_is_the_probability_of_the_predicted_emotion():
    predictions = binary_predictions([(1, 0.4), (0, 0.2)], threshold=0.3)
    table = curves.tabulate_predictions([1, 3], predictions.y_true, predictions.probabilities, PAIR, threshold=0.3)
    assert table["predicted"].tolist() == ["sad", "happy"]
    assert table["confidence"].tolist() == [0.4, 0.8]
    assert table["correct"].all()


# --- the model


class FakeModel:
    """Gives each image the probabilities in its first row, and keeps the images that it gets."""

    def __init__(self):
        self.images = []

    def predict(self, x, *, batch_size, verbose):
        self.images.append(x.copy())
        return x[:, 0, :, 0].astype(np.float32)


def test_images_reach_the_model_as_they_are():
    images = np.random.default_rng(0).integers(1, 255, (5, 3, 3, 1), dtype=np.uint8)
    model = FakeModel()
    probabilities = predict_probabilities(model, images, flip=False)
    assert len(model.images) == 1
    assert model.images[0].dtype == np.uint8
    np.testing.assert_array_equal(model.images[0], images)
    np.testing.assert_allclose(probabilities, images[:, 0, :, 0] / images[:, 0, :, 0].sum(axis=1, keepdims=True))


def test_flip_averages_with_the_mirror_image():
    images = np.array([[[1], [2], [5]]] * 3, dtype=np.uint8)[None]
    np.testing.assert_allclose(predict_probabilities(FakeModel(), images, flip=True), [[6 / 16, 4 / 16, 6 / 16]])


def test_a_model_that_gives_no_probabilities_is_refused():
    images = np.ones((2, 3, 3, 1), dtype=np.uint8)

    class Broken:
        def predict(self, x, *, batch_size, verbose):
            return np.full((len(x), 3), np.nan)

    with pytest.raises(InputError, match="2 of 2 images"):
        predict_probabilities(Broken(), images, flip=False)
    with pytest.raises(InputError, match="no images"):
        predict_probabilities(FakeModel(), images[:0], flip=False)


def test_a_model_whose_outputs_do_not_fit_the_images_is_refused():
    class Broken:
        def predict(self, x, *, batch_size, verbose):
            return np.full((1, 3), 1 / 3)

    with pytest.raises(InputError, match=r"\(1, 3\), expected \(2, classes\).*dvc repro"):
        predict_probabilities(Broken(), np.ones((2, 3, 3, 1), dtype=np.uint8), flip=False)


class OneOutput:
    """Gives each image one probability: its upper left pixel, in per cent."""

    def predict(self, x, *, batch_size, verbose):
        return x[:, 0, :1, 0].astype(np.float32) / 100


def test_one_output_is_the_probability_of_the_second_emotion():
    images = np.array([[0, 50], [25, 75], [100, 100]], dtype=np.uint8).reshape(3, 1, 2, 1)
    assert predict_probabilities(OneOutput(), images, flip=False).tolist() == [[1, 0], [0.75, 0.25], [0, 1]]
    assert predict_probabilities(OneOutput(), images, flip=True).tolist() == [[0.75, 0.25], [0.5, 0.5], [0, 1]]


@pytest.mark.parametrize("output", [np.nan, -0.1, 1.1, np.inf])
def test_one_output_that_is_no_probability_is_refused(output):
    class Broken:
        def predict(self, x, *, batch_size, verbose):
            return np.array([[0.5], [output]])

    with pytest.raises(InputError, match=r"1 of 2 images \(NaN, or not from 0 to 1\)"):
        predict_probabilities(Broken(), np.ones((2, 3, 3, 1), dtype=np.uint8), flip=False)


# --- tables


def test_predictions_have_one_row_per_image():
    table = curves.tabulate_predictions([4, 6, 7, 9, 12], Y_TRUE, PROBABILITIES, EMOTIONS, threshold=0.5)
    assert list(table.columns) == ["row", "actual", "predicted", "confidence", "correct", *EMOTIONS]
    assert table.iloc[3].tolist() == [9, "happy", "sad", 0.40, False, 0.25, 0.35, 0.40]


def test_curves_of_absent_emotions_are_left_out():
    for tabulate in (curves.tabulate_roc, curves.tabulate_precision_recall):
        assert tabulate(Y_TRUE, PROBABILITIES, EMOTIONS)["emotion"].unique().tolist() == ["angry", "happy"]
        nothing = tabulate(Y_TRUE[:2], PROBABILITIES[:2], EMOTIONS)
        assert len(nothing) == 0
        assert len(nothing.columns) == 4


def test_curves_are_thin_finite_and_keep_their_ends_and_areas():
    predictions = random_predictions(images=5000, classes=2, scale=1.0)
    roc = curves.tabulate_roc(predictions.y_true, predictions.probabilities, ("happy", "sad"))
    assert roc.groupby("emotion").size().max() <= curves.MOST_POINTS
    assert np.isfinite(roc["threshold"]).all()
    happy = roc[roc["emotion"] == "happy"]
    assert happy.iloc[0, 1:3].tolist() == [0, 0]
    assert happy.iloc[-1, 1:3].tolist() == [1, 1]
    area = np.trapezoid(happy["true_positive_rate"], happy["false_positive_rate"])
    assert area == pytest.approx(curves.roc_auc(predictions.y_true, predictions.probabilities)[0], abs=0.003)


def test_the_steps_of_precision_and_recall_hold_the_average_precision():
    predictions = random_predictions(images=150)
    table = curves.tabulate_precision_recall(predictions.y_true, predictions.probabilities, ("a", "b", "c", "d"))
    steps = table[table["emotion"] == "b"]
    widths = -np.diff(np.append(steps["recall"], 0))
    expected = average_precision_score(predictions.y_true == 1, predictions.probabilities[:, 1])
    assert (widths * steps["precision"]).sum() == pytest.approx(expected)


def test_thinning_keeps_both_ends():
    x = np.linspace(0, 1, 1000)
    kept = curves.thin(x, x**2, most=50)
    assert len(kept) <= 50
    assert (kept[0], kept[-1]) == (0, 999)
    assert curves.thin(x[:30], x[:30], most=50).tolist() == list(range(30))


def test_reliability_holds_the_expected_calibration_error():
    predictions = random_predictions()
    table = curves.tabulate_reliability(
        predictions.y_true, predictions.probabilities, ("a", "b", "c", "d"), temperature=1.5, bins=15
    )
    rows = table[(table["emotion"] == "all") & (table["calibration"] == "temperature")]
    error = ((rows["confidence"] - rows["accuracy"]).abs() * rows["images"]).sum() / 600
    warm = metrics.apply_temperature(predictions.probabilities, 1.5)
    assert error == pytest.approx(calibration.expected_calibration_error(predictions.y_true, warm, bins=15))
    assert set(table["emotion"]) == {"all", "a", "b", "c", "d"}


def test_an_absent_emotion_has_no_reliability():
    table = curves.tabulate_reliability(Y_TRUE, PROBABILITIES, EMOTIONS, temperature=1.5, bins=5)
    assert set(table["emotion"]) == {"all", "angry", "happy"}


def test_tables_are_written_to_the_same_bytes(tmp_path):
    table = curves.tabulate_predictions(range(5), Y_TRUE, PROBABILITIES, EMOTIONS, threshold=0.5)
    for name in ("one.csv", "two.csv"):
        write_csv(tmp_path / name, table)
    content = (tmp_path / "one.csv").read_bytes()
    assert content == (tmp_path / "two.csv").read_bytes()
    assert content.decode("utf-8").splitlines()[1] == "0,angry,angry,0.80000,True,0.80000,0.15000,0.05000"
    assert b"\r" not in content
