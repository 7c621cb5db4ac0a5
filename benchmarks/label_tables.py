"""The table of docs/labels.md: suspect labels of FER2013 against people's votes, and trainings before and after."""

from collections.abc import Iterator
from typing import Any

from benchmarks.label_audit import RESULT
from benchmarks.tables import render_table
from emotion.core.files import read_json
from emotion.presentation.formats import number, percent

TRAININGS = {
    "before": "as they are",
    "models": "with suggestions that the models are sure of",
    "prune": "without suspects",
    "people": "with people's decisions on all suspects",
}
"""The labels that a training had, by the names in the result."""


def render_label_audit() -> str:
    """Return the figures in results/label_audit.json, with those of the trainings that it has."""
    result = read_json(RESULT)
    rows = [*_suspect_rows(result["suspects"]), *_training_rows(result.get("trainings", {}))]
    return render_table(("FER2013 against FER+", "figure"), rows)


def _suspect_rows(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    audited, suspects, contradicted = found["audited"], found["suspects"], found["contradicted"]
    yield "labels of Training and PublicTest", number(audited, 0)
    yield "of them, most people say otherwise", f"{number(contradicted['images'], 0)}, {percent(contradicted['share'])}"
    yield "suspect labels", f"{number(suspects, 0)}, {percent(suspects / audited)}"
    for count, shares in found["first"].items():
        otherwise, right = percent(shares["contradicted"]), percent(shares["suggestion_right"])
        yield f"of the first {number(int(count), 0)}, most people say otherwise", otherwise
        yield f"of the first {number(int(count), 0)}, most people say what the models suggest", right


def _training_rows(trainings: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, labels in TRAININGS.items():
        if name in trainings:
            scores = trainings[name]
            figures = f"{percent(scores['accuracy'])}, {number(scores['macro_f1'])}"
            yield f"`fer2013-quick` on the labels {labels}: accuracy and macro F1 on PublicTest by FER+", figures
