"""Tables of the models on photos outside FER2013, and the sections of cards with them, from results/outside.json."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.runs import RESULTS
from benchmarks.tables import render_table
from emotion.app.evaluate.option_values import INT8_FILE, KERAS_FILE
from emotion.app.release.release import CARD
from emotion.core.errors import InputError
from emotion.core.files import atomic_path, read_json
from emotion.core.paths import RELEASED_MODELS
from emotion.presentation.formats import figure_text, number, percent

OUTSIDE = RESULTS / "outside.json"
FACES_WILD = Path("../shared/data/faces_wild.tar")
FIVE = ("angry", "happy", "sad", "surprise", "neutral")
"""The emotions of faces_wild that are scored."""

START, END = "<!-- outside -->\n", "<!-- /outside -->\n"
PLACE = "### Files\n"
"""The heading of the card before which the section stands."""

REMEDY = "run `python -m benchmarks.outside`"


def list_releases() -> dict[str, Path]:
    """Return the model file of each release by its name: the Keras file, or the int8 file where there is no other.

    Raises:
        InputError: there is no release.
    """
    releases = {}
    for folder in sorted(RELEASED_MODELS.glob("[!.]*/")):
        files = [folder / name for name in (KERAS_FILE, INT8_FILE) if (folder / name).is_file()]
        if files:
            releases[folder.name] = files[0]
    if not releases:
        raise InputError(f"{RELEASED_MODELS} holds no model; restore them with `git checkout -- {RELEASED_MODELS}`")
    return releases


def read_reports(data: str = FACES_WILD.stem) -> dict[str, Any]:
    """Return the reports of `emotion evaluate` on some data, by the name of the model."""
    reports: dict[str, Any] = read_json(OUTSIDE, REMEDY)["data"][data]
    return reports


def render_outside() -> str:
    """Return the figures of each model on faces_wild, the most accurate first, `fer` among them."""
    reports = read_reports()
    best_first = sorted(reports, key=lambda name: -reports[name]["all"]["accuracy"])
    header = ("model", "accuracy (95 %)", "macro F1", *(f"recall of {name}" for name in FIVE), "calibration error")
    return render_table(header, [(f"`{name}`", *_cells(reports[name]["all"])) for name in best_first])


def _cells(scores: Mapping[str, Any]) -> tuple[str, ...]:
    rows = scores["by_emotion"]
    return (
        figure_text(scores, "accuracy"),
        number(scores["macro_f1"]),
        *(number(rows[emotion]["recall"], 2) if emotion in rows else "" for emotion in FIVE),
        number(scores["calibrated_expected_calibration_error"]),
    )


def accuracy_outside(name: str) -> str:
    """Return the accuracy of a model on faces_wild with its interval; empty where it was not measured."""
    report = read_reports().get(name)
    return figure_text(report["all"], "accuracy") if report else ""


def write_cards(result: Mapping[str, Any]) -> list[Path]:
    """Write the section of each release's card, and return the cards that changed."""
    changed = []
    for folder in sorted(RELEASED_MODELS.glob("[!.]*/")):
        card = folder / CARD
        before = card.read_text(encoding="utf-8") if card.is_file() else ""
        after = put_section(before, render_section(folder.name, result)) if before else ""
        if after != before:
            with atomic_path(card) as temporary:
                temporary.write_text(after, encoding="utf-8")
            changed.append(card)
    return changed


def put_section(card: str, section: str) -> str:
    """Return the text of a card with `section` in place of its section, or before the heading PLACE."""
    without = re.sub(f"{START}.*?{END}\n", "", card, flags=re.DOTALL)
    before, heading, behind = without.partition(PLACE)
    return f"{before}{START}{section}{END}\n{heading}{behind}" if section and heading else without


def render_section(name: str, result: Mapping[str, Any]) -> str:
    """Return the section of a release's card; empty where the release was not measured."""
    reports = {data: models[name] for data, models in result["data"].items() if name in models}
    if not reports:
        return ""
    lines = ["### Outside FER2013\n", "\n", *map("{}\n".format, _describe(result["models"][name], reports)), "\n"]
    header = ("data", "images", "with a face", "accuracy (95 %)", "macro F1 (95 %)", "calibration error")
    rows = [(data, *_section_cells(report)) for data, report in reports.items()]
    recalls = [
        (data, emotion, figure_text(row, "recall"), f"{row['support']:,}")
        for data, report in reports.items()
        for emotion, row in report["all"]["by_emotion"].items()
    ]
    by_emotion = render_table(("data", "emotion", "recall (95 %)", "images"), recalls)
    return "".join([*lines, render_table(header, rows), "\n", by_emotion])


def _section_cells(report: Mapping[str, Any]) -> tuple[str, ...]:
    scores, faces = report["all"], report["faces"]
    return (
        f"{scores['images']:,}",
        percent(1 - faces["not_found"] / scores["images"]),
        figure_text(scores, "accuracy"),
        figure_text(scores, "macro_f1"),
        number(scores["calibrated_expected_calibration_error"]),
    )


def _describe(file: Mapping[str, str], reports: Mapping[str, Any]) -> list[str]:
    lines = [
        f"`python -m benchmarks.outside` scored {Path(file['file']).name} on photos that are not FER2013's. YuNet "
        "searches each for its largest face. Where it finds none, the whole image is taken. The probabilities of "
        "mirror images are averaged, with the temperature for the calibration error."
    ]
    if FACES_WILD.stem in reports:
        lines.append(
            "The released models were chosen with the help of faces_wild, so its figures are too good for that "
            "reason. Its labels are noisy. Five of its emotions are scored, and any emotion may be answered."
        )
    return lines
