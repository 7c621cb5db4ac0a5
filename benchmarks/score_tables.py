"""Tables of scores: the releases, fer2013-long in full and by class, fer2013 by seed, the sample, FER2013's counts."""

from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.outside_tables import accuracy_outside
from benchmarks.released_report import (
    System,
    find_releases,
    milliseconds_text,
    read_package,
    read_systems,
    read_vote_systems,
)
from benchmarks.runs import RESULTS, read_run, scores_of
from benchmarks.tables import read_rows, render_table, spread_text
from emotion.core.files import read_json
from emotion.core.paths import EVALUATION_METRICS, RELEASED_MODELS
from emotion.presentation.formats import figure_text, number, percent
from emotion.reports.model_card import CALIBRATION_SCORES, CLASSIFICATION_SCORES

STANDARD = RELEASED_MODELS / "fer2013-long"
"""The release that learned FER2013's labels."""

SEEDS = ("fer2013", "seeds/fer2013-2014", "seeds/fer2013-2015")
"""Rows of results/runs.csv that differ in their seed only."""

SEED_COLUMNS = (
    ("validation", "accuracy"),
    ("validation", "log_loss"),
    ("test", "accuracy"),
    ("test", "macro_f1"),
    ("test", "log_loss"),
)


class Seed(NamedTuple):
    """A training of the preset `fer2013`: its seed, its scores by split, and its minutes."""

    seed: str
    scores: dict[str, dict[str, float]]
    minutes: float


def render_accuracy() -> str:
    """Return the accuracy of each release and of `fer`, on photos and on PrivateTest: the short table."""
    names = {folder.name for folder in find_releases()}
    systems = [*(system for system in read_systems() if system.name in names), read_package()]
    rows = [
        *(_accuracy_cells(system, "FER+") for system in read_vote_systems()),
        *(_accuracy_cells(system, "FER2013") for system in systems),
    ]
    header = ("model", "photos, accuracy (95 %)", "PrivateTest, accuracy (95 %)", "by the labels of", "ms a face")
    return render_table(header, rows)


def _accuracy_cells(system: System, labels: str) -> tuple[str, ...]:
    outside = accuracy_outside(system.name.partition(" ")[0])
    return system.title, outside, figure_text(system.test, "accuracy"), labels, milliseconds_text(system)


def render_standard() -> str:
    """Return every score of the release that learned FER2013's labels, with and without copies."""
    metrics = _read(STANDARD)
    test, unique = metrics["test"], metrics["test_unique"]
    header = ("", f"PrivateTest, {test['images']:,} images", f"without copies, {unique['images']:,} images")
    scores = (*CLASSIFICATION_SCORES, *CALIBRATION_SCORES)
    rows = [(title, figure_text(test, name), figure_text(unique, name)) for title, name in scores]
    return render_table(header, rows)


def render_classes() -> str:
    """Return the scores of the same release by emotion."""
    names = ("precision", "recall", "f1", "roc_auc")
    rows = [
        (emotion, *(number(scores[name]) for name in names), f"{scores['support']:,}")
        for emotion, scores in _read(STANDARD)["by_class"].items()
    ]
    return render_table(("emotion", "precision", "recall", "F1", "ROC AUC", "images"), rows)


def render_seeds() -> str:
    """Return the scores of the preset `fer2013` by seed, with their mean and standard deviation."""
    seeds = read_seeds()
    header = (
        "seed",
        "PublicTest accuracy",
        "PublicTest log loss",
        "PrivateTest accuracy",
        "PrivateTest macro F1",
        "PrivateTest log loss",
        "training",
    )
    rows = [
        (
            seed.seed,
            *(figure_text(seed.scores[split], name) for split, name in SEED_COLUMNS),
            f"{seed.minutes:.0f} min",
        )
        for seed in seeds
    ]
    spread = [
        spread_text([seed.scores[split][name] for seed in seeds], percent if name == "accuracy" else number)
        for split, name in SEED_COLUMNS
    ]
    return render_table(header, [*rows, ("mean, standard deviation", *spread, "")])


def read_seeds() -> list[Seed]:
    """Return the trainings of the preset `fer2013` by seed."""
    return [
        Seed(run["seed"], {split: scores_of(run, split) for split in ("validation", "test")}, float(run["minutes"]))
        for run in map(read_run, SEEDS)
    ]


def render_data() -> str:
    """Return what the pipeline counts in FER2013."""
    counts = read_json(STANDARD / "dataset.json")
    copies, images, conflicts = counts["copies"], counts["images"], counts["conflicting_labels"]
    across = copies["across"]
    shared = across["test_in_train"]
    train, public, private = (f"{images[split]['total']:,}" for split in ("train", "val", "test"))
    rows = [
        ("images", f"{counts['source_images']:,}"),
        ("exact copies of an earlier image", f"{copies['total']:,}"),
        ("PrivateTest images that are also in Training", f"{shared:,}, {percent(shared / images['test']['total'])}"),
        ("PublicTest images that are also in Training", f"{across['val_in_train']:,}"),
        ("PrivateTest images that are also in PublicTest", f"{across['test_in_val']:,}"),
        ("groups of copies with conflicting labels", f"{conflicts['groups']}, of {conflicts['images']} images"),
        ("images of one flat color", f"{counts['blank']:,}"),
        ("copies taken out of Training and PublicTest", f"{counts['excluded']['total']:,}"),
        ("images left in Training, PublicTest and PrivateTest", f"{train}, {public} and {private}"),
    ]
    return render_table(("", "count"), rows)


def render_sweep() -> str:
    """Return the experiments on the sample, the best first."""
    runs = read_rows(RESULTS / "sweep.csv")
    names = ("train.architecture", "train.epochs", "train.learning_rate", "val.accuracy", "val.logloss")
    rows = [(f"`{run['Experiment'] or run['rev']}`", *(run[name] for name in names)) for run in runs]
    return render_table(("experiment", *names), rows)


def render_sample() -> str:
    """Return the scores on the embedded sample."""
    metrics = read_json(EVALUATION_METRICS)
    test = metrics["test"]
    rows = [
        ("accuracy", figure_text(test, "accuracy")),
        ("macro F1", figure_text(test, "macro_f1")),
        ("test images", f"{test['images']:,}"),
    ]
    return render_table(("", "sample, seed 2013"), rows)


def _read(folder: Path) -> dict[str, Any]:
    return read_json(folder / EVALUATION_METRICS.name)
