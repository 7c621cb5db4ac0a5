"""The model card: what a model is, what it scored, what it is for and what not, written from the metrics files.

Its text is the template model_card.md.j2; here is what the template is filled with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from scipy.stats import binomtest

from emotion.core.labels import resolve_scheme
from emotion.presentation.formats import MISSING, figure_text, gap_text, millions, number, percent
from emotion.presentation.markdown import code, escape
from emotion.reports.facts import ORIGINS, Facts, find_confusions, find_origin

TEMPLATE = Path(__file__).with_name("model_card.md.j2")

CLASSIFICATION_SCORES = (
    ("accuracy", "accuracy"),
    ("macro F1", "macro_f1"),
    ("balanced accuracy", "balanced_accuracy"),
    ("top-2 accuracy", "top_2_accuracy"),
    ("ROC AUC, mean of the classes", "roc_auc"),
)
"""The titles of scores of predictions, and their names in metrics/evaluate.json."""

CALIBRATION_SCORES = (
    ("log loss", "log_loss"),
    ("log loss with the temperature", "calibrated_log_loss"),
    ("expected calibration error", "expected_calibration_error"),
    ("expected calibration error with the temperature", "calibrated_expected_calibration_error"),
)
"""The titles of scores of probabilities, and their names in metrics/evaluate.json."""

GROUP_SCORES = (
    ("accuracy", "accuracy"),
    ("balanced accuracy", "balanced_accuracy"),
    ("confidence less accuracy", "calibrated_overconfidence"),
    ("calibration error", "calibrated_expected_calibration_error"),
)
"""The titles of scores of a group, and their names in the section `groups` of metrics/evaluate.json."""

KINDS = {
    "keras": "Keras",
    "tflite": "TensorFlow Lite, float32",
    "tflite_float16": "TensorFlow Lite, weights in float16",
    "tflite_int8": "TensorFlow Lite, int8",
    "onnx": "ONNX Runtime, float32",
}
"""The runtimes of the files that the stage export writes, by their names in metrics/export.json."""


@dataclass(frozen=True)
class ModelFile:
    """A model file as the card names it.

    Attributes:
        path: from the project's root.
        kind: what runs it, and in which precision it computes.
        size: bytes.
        scores: accuracy, agreement with the Keras file, and largest difference from it, as metrics/export.json has
            them.
        milliseconds: a face takes on one thread; None where that is not known.
    """

    path: Path
    kind: str
    size: int
    scores: Mapping[str, float]
    milliseconds: float | None = None


@dataclass(frozen=True)
class Release:
    """Facts that the card of a release states besides.

    Attributes:
        name: what the release is called.
        commit: of the code, as the card names it.
        source_md5: that of the source, as dvc.lock names it.
        weights: the type of the weights in the .keras file; None where there is no such file.
        accuracy: that of the .keras file, or else of the first file, on the test split, 0 to 1.
        time: how long training took, and on what, as the stage train noted it; None where that is not known.
    """

    name: str
    commit: str
    source_md5: str
    weights: str | None
    accuracy: float
    time: Mapping[str, Any] | None = None

    @property
    def training_minutes(self) -> float | None:
        """Duration of the training in minutes; None where it is not known."""
        return None if self.time is None else self.time["seconds"] / 60


@dataclass(frozen=True)
class Links:
    """Targets of the card's links, relative to its folder: its plots by name, and the params."""

    plots: Mapping[str, str] = field(default_factory=dict)
    params: str = "params.yaml"


def make_card(facts: Facts, files: Sequence[ModelFile], links: Links, release: Release | None = None) -> str:
    """Return the card in Markdown, with YAML front matter for model hubs.

    Args:
        facts: what was measured.
        files: the model files, with the Keras file first where there is one.
        links: what it links to.
        release: what is known of a release; None for the card of the pipeline's last run.
    """
    return _load_template().render(
        facts=facts,
        params=facts.params,
        classification_scores=CLASSIFICATION_SCORES,
        calibration_scores=CALIBRATION_SCORES,
        group_scores=GROUP_SCORES,
        missing=MISSING,
        files=files,
        timed=any(file.milliseconds is not None for file in files),
        links=links,
        release=release,
        origin=find_origin(facts),
        origins=ORIGINS,
        scheme=resolve_scheme(facts.params.labels.scheme).written,
        confusions=find_confusions(facts),
    )


def _load_template() -> jinja2.Template:
    # Markdown, not HTML: nothing is escaped.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATE.parent, encoding="utf-8"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "percent": percent,
        "number": number,
        "millions": millions,
        "figure_text": figure_text,
        "gap_text": gap_text,
        "escape_markdown": escape,
        "as_code": code,
        "share_interval": share_interval,
    }
    return environment.get_template(TEMPLATE.name)


def share_interval(share: float | None, images: int) -> str:
    """Return the 95 % interval of a share of so many images, by Wilson 1927: `0.848 to 0.959`."""
    if share is None or not images:
        return MISSING
    # The number of images as it was before the decimals of the share were rounded
    low, high = binomtest(round(share * images), images).proportion_ci(method="wilson")
    return f"{number(low)} to {number(high)}"
