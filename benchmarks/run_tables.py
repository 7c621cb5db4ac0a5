"""Tables that compare a few trainings, from results/runs.csv, results/variants.csv and the metrics of this state."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from benchmarks.runs import RESULTS, Run, read_run, scores_of
from benchmarks.tables import read_rows, render_table
from emotion.core.files import read_json
from emotion.core.params import PARAMS_FILE, read_yaml
from emotion.core.paths import EVALUATION_METRICS
from emotion.presentation.formats import figure_text, number, percent

VARIANTS = RESULTS / "variants.csv"
SIZE_VARIANT = re.compile(r"standard-muon-at-(\d+)")
TRAINED_SIZE = "48"

PRETRAINED = {
    "the weights of `fer2013`, 5 epochs": "ferplus/init-from-fer2013",
    "random weights, 5 epochs": "ferplus/init-random",
    "random weights, the preset `ferplus`": "ferplus",
    "the weights of a face recognition, the preset `ferplus-large`": "ferplus-large",
}
"""Rows of results/runs.csv by what their trainings started from."""

DISTILLED = {
    "`fer2013-quick`": "fer2013-quick",
    "`fer2013-quick` with an earlier `fer2013-long` as its teacher": "quick/original-inputs",
}
"""Rows of results/runs.csv by their teachers."""

OPTIMIZERS = {
    "`sgd`": "four-minutes",
    "`muon`, learning rate 0.05": "four-minutes-muon",
    "`muon`, learning rate 0.02": "four-minutes-muon-slower",
}
"""Rows of results/variants.csv that differ in their optimizer only."""

EXPERIMENT_METRICS = {"accuracy": "val.accuracy", "log_loss": "val.logloss"}
"""Figures of the validation split in metrics/evaluate.json, and their names in `dvc exp show`."""
EXPERIMENT_PARAMS = ("epochs", "learning_rate")


class Scores(NamedTuple):
    """The scores of a training on PrivateTest, with all images and without copies."""

    test: dict[str, float]
    unique: dict[str, float]


def render_sizes() -> str:
    """Return the scores of one network at several inference sizes."""
    variants = _read_variants()
    sizes = {match[1]: row for name, row in variants.items() if (match := SIZE_VARIANT.fullmatch(name))}
    sizes = {TRAINED_SIZE: variants["standard-muon"]} | sizes
    rows = [
        (f"{size} pixels", percent(float(row["public_test_with_flip"])), number(float(row["log_loss_with_flip"])))
        for size, row in sizes.items()
    ]
    return render_table(("inference size", "PublicTest accuracy", "log loss"), rows)


def render_optimizers() -> str:
    """Return the scores of trainings that differ in their optimizer only."""
    variants = _read_variants()
    rows = [
        (title, percent(float(row["public_test"])), row["epochs"], f"{row['seconds']} s")
        for title, row in ((title, variants[name]) for title, name in OPTIMIZERS.items())
    ]
    return render_table(("optimizer", "PublicTest accuracy", "epochs", "training"), rows)


def _read_variants() -> dict[str, dict[str, str]]:
    return {row["variant"]: row for row in read_rows(VARIANTS)}


def render_pretrained() -> str:
    """Return the scores on FER+ of trainings with several starts."""
    return _render_runs("start", PRETRAINED)


def render_distillation() -> str:
    """Return the scores of a training with and without a teacher."""
    return _render_runs("preset", DISTILLED)


def _render_runs(title: str, names: dict[str, str]) -> str:
    header = (title, "PublicTest accuracy", "PrivateTest accuracy (95 %)", "macro F1", "training")
    return render_table(header, ((name, *_run_cells(read_run(run))) for name, run in names.items()))


def _run_cells(run: Run) -> Iterable[str]:
    validation, test = scores_of(run, "validation"), scores_of(run, "test")
    return (
        percent(validation["accuracy"]),
        figure_text(test, "accuracy"),
        number(test["macro_f1"]),
        f"{float(run['minutes']):.0f} min",
    )


def render_ferplus() -> str:
    """Return the scores of the preset `ferplus` on FER+'s own labels."""
    run = read_run("ferplus")
    validation, test = scores_of(run, "validation"), scores_of(run, "test")
    rows = [
        ("images of PrivateTest", f"{test['images']:,.0f}"),
        ("PrivateTest accuracy (95 %)", figure_text(test, "accuracy")),
        ("macro F1", figure_text(test, "macro_f1")),
        ("calibration error", number(test["expected_calibration_error"])),
        ("calibration error with the temperature", number(test["calibrated_expected_calibration_error"])),
        ("PublicTest accuracy", percent(validation["accuracy"])),
        ("training on two cores", f"{float(run['minutes']):.0f} min"),
    ]
    return render_table(("", "`ferplus`"), rows)


def render_copies() -> str:
    """Return the scores of `fer2013` with and without copies in its training images."""
    without, kept = map(_copies_scores, ("fer2013", "fer2013/keep-copies"))
    images, others = (int(scores["images"]) for scores in without)
    header = (
        "`fer2013` trained",
        f"accuracy on all {images:,} images",
        f"right of the {images - others} images with a copy elsewhere",
        f"right of the other {others:,}",
    )
    rows = [("without the copies", *_copies_cells(without)), ("with the copies", *_copies_cells(kept))]
    return render_table(header, rows)


def _copies_scores(name: str) -> Scores:
    run = read_run(name)
    return Scores(scores_of(run, "test"), scores_of(run, "test_unique"))


def _copies_cells(scores: Scores) -> tuple[str, str, str]:
    right, others = (round(split["accuracy"] * split["images"]) for split in scores)
    return percent(scores.test["accuracy"]), f"{right - others:,}", f"{others:,}"


def render_experiment() -> str:
    """Return the experiment of the tutorial beside the committed state, as `dvc exp show` names it."""
    run, committed = read_run("sample/five-epochs"), read_yaml(PARAMS_FILE)["train"]
    changed = dict(override.removeprefix("train.").split("=") for override in run["overrides"].split())
    rows = [
        ("`main`", *_experiment_cells(read_json(EVALUATION_METRICS)["validation"], committed)),
        ("`five-epochs`", *_experiment_cells(scores_of(run, "validation"), changed)),
    ]
    metrics, params = EXPERIMENT_METRICS.values(), (f"train.{name}" for name in EXPERIMENT_PARAMS)
    return render_table(("experiment", *metrics, *params), rows)


def _experiment_cells(scores: dict[str, Any], params: dict[str, Any]) -> tuple[str, ...]:
    figures = (f"{scores[name]:.5g}" for name in EXPERIMENT_METRICS)
    return *figures, *(str(params[name]) for name in EXPERIMENT_PARAMS)
