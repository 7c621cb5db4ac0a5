"""The tables of the preset photo: its releases by FER+'s labels of PrivateTest, and its seeds."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from benchmarks.released_report import System, milliseconds_text, minutes_text, read_vote_systems
from benchmarks.runs import RESULTS
from benchmarks.tables import render_table, spread_text
from emotion.core.files import read_json
from emotion.core.paths import EVALUATION_METRICS, RELEASED_MODELS
from emotion.ingest.ferplus import MAJORITY
from emotion.presentation.formats import figure_text, number, percent

SEEDS = RESULTS / "photo_seeds.json"

HEADER = (
    "model",
    "PrivateTest, all images (95 %)",
    "where people agree (95 %)",
    "macro F1",
    "in int8",
    "calibration error with the temperature",
    "parameters",
    "million multiply-adds",
    "training",
    "ms a face",
)

Find: TypeAlias = Callable[[Mapping[str, Any]], float]
Text: TypeAlias = Callable[[float], str]

SEED_COLUMNS: Mapping[str, tuple[Find, Text]] = {
    "`faces_wild` accuracy": (lambda seed: seed["faces_wild"]["accuracy"], percent),
    "macro F1": (lambda seed: seed["faces_wild"]["macro_f1"], number),
    "lowest recall": (lambda seed: min(seed["faces_wild"]["recall"].values()), number),
    "PrivateTest accuracy by FER+": (lambda seed: seed["test"]["accuracy"], percent),
    "where people agree": (lambda seed: seed["agreed"]["accuracy"], percent),
    "calibration error": (lambda seed: seed["test"]["calibrated_expected_calibration_error"], number),
    "minutes": (lambda seed: seed["minutes"], lambda minutes: f"{minutes:.0f}"),
}
"""The columns of the table of seeds: how to find a figure, and how to write it."""


def render_photo() -> str:
    """Return the scores of the releases that learned FER+'s votes, by FER+'s labels of PrivateTest."""
    return render_table(HEADER, map(_cells, read_vote_systems()))


def _cells(system: System) -> tuple[str, ...]:
    test, agreed = system.test, find_agreed(read_json(RELEASED_MODELS / system.name / EVALUATION_METRICS.name))
    return (
        f"`{system.name}`",
        f"{figure_text(test, 'accuracy')} of {test['images']:,}",
        f"{figure_text(agreed, 'accuracy')} of {agreed['images']:,}",
        number(test["macro_f1"]),
        "" if system.int8_accuracy is None else percent(system.int8_accuracy),
        number(test["calibrated_expected_calibration_error"]),
        f"{system.parameters:,}",
        f"{system.multiply_adds / 1e6:.1f}",
        minutes_text(system),
        milliseconds_text(system),
    )


def find_agreed(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scores of the images on which most people agree, from the content of an evaluate.json."""
    agreed: dict[str, Any] = evaluation["groups"][MAJORITY]["values"]["yes"]
    return agreed


def render_seeds() -> str:
    """Return the scores of the preset by seed, with their mean and standard deviation."""
    seeds = read_json(SEEDS, "run `python -m benchmarks.photo_seeds`")
    rows = [(seed, *(text(find(scores)) for find, text in SEED_COLUMNS.values())) for seed, scores in seeds.items()]
    if len(seeds) > 1:
        spread = (
            spread_text([find(scores) for scores in seeds.values()], text) for find, text in SEED_COLUMNS.values()
        )
        rows.append(("mean, standard deviation", *spread))
    return render_table(("seed", *SEED_COLUMNS), rows)
