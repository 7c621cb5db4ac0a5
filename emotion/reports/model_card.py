"""The model card: what a model is, what it scored, what it is for and what not, written from the metrics files."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from emotion.core.errors import InputError
from emotion.core.files import read_json
from emotion.core.labels import resolve_scheme
from emotion.core.metadata import CHANNELS
from emotion.core.params import Params
from emotion.core.paths import (
    DATASET_METRICS,
    EVALUATION_METRICS,
    EXPORT_METRICS,
    PREDICTIONS,
    SAMPLE_ARCHIVE,
    TRAINING_METRICS,
)
from emotion.reports.predictions import read_predictions

MISSING = "\N{EN DASH}"
"""In the place of a figure that has no value."""

SCORES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "balanced_accuracy": "balanced accuracy",
    "top_2_accuracy": "top-2 accuracy",
    "roc_auc": "ROC AUC, mean of the classes",
}
CALIBRATION = {
    "log_loss": "log loss",
    "calibrated_log_loss": "log loss with the temperature",
    "expected_calibration_error": "expected calibration error",
    "calibrated_expected_calibration_error": "expected calibration error with the temperature",
}
CLASS_SCORES = {"precision": "precision", "recall": "recall", "f1": "F1", "roc_auc": "ROC AUC"}
SPLIT_TITLES = {"train": "training", "val": "validation", "test": "test"}
NORMAL = 1.959964
"""Of the normal distribution, 95 % lie within so many standard deviations."""

KINDS = {
    "keras": "Keras",
    "tflite": "TensorFlow Lite, float32",
    "tflite_float16": "TensorFlow Lite, weights in float16",
    "tflite_int8": "TensorFlow Lite, int8",
    "onnx": "ONNX Runtime, float32",
}
"""What runs the files that the stage export writes, by their names in metrics/export.json."""

MOST_CONFUSIONS = 6
FER2013_IMAGES = 35_887

PURPOSE = """\
- To learn and to teach how such a model is trained, judged, explained and run.
- For research on methods, with the same splits and figures that can be made again.
- To sort or find images by the expression in them, and for play and art, where a mistake does no harm, and where the
  people in the images know of it and agree."""

LIMITS = """\
An expression is not a feeling. The model says which expression people would most likely name in an image of a face;
what the person feels, means or is going to do, it does not know, and no model can know that from an image. It is wrong
as often as the figures above say, and more often on images unlike those that it was trained on.

So decide nothing about a person by it. It must not be used

- to judge people: in hiring, grading, lending, insurance, policing, at borders or in court;
- to tell lies, intent, attention, character, health or illness from a face;
- to watch people who do not know of it, or have not agreed;
- to infer what people feel at work or in education. Article 5(1)(f) of the EU AI Act, Regulation (EU) 2024/1689,
  forbids placing on the market, putting into service for this purpose, and using AI systems that infer the emotions of
  a person in workplaces and education institutions, other than for medical or safety reasons, since 2 February 2025.

Elsewhere in the EU, systems for emotion recognition are listed as high-risk (Annex III, 1(c)), and people who are
exposed to one have to be told (Article 50(3))."""

DRAWN = """\
The images are drawings: faces made by a program from facial action units, with their labels. The figures say that the
pipeline works, and nothing about people. On photographs the model is of no use."""

FER2013 = """\
By their number and size these are the images of FER2013 (Goodfellow et al. 2013): faces that a web search found for
words of emotion, cut out by a face detector. Their labels are noisy; people who label them anew agree with them in
65 ± 5 % of the cases. Who they show is not recorded, neither age nor sex nor skin tone nor origin: so nothing can be
said about for whom the model works better or worse, and it is likely that this differs. Many are posed or of actors."""

UNKNOWN = """\
Who the images show, how they were chosen and who labeled them is not known to the pipeline. So nothing can be said
about for whom the model works better or worse; tell those who use it what you know of that."""


@dataclass(frozen=True)
class Facts:
    """What the pipeline measured: the content of its metrics files, its predictions and its params."""

    evaluation: dict[str, Any]
    training: dict[str, Any]
    dataset: dict[str, Any]
    export: dict[str, Any]
    predictions: pd.DataFrame
    params: Params

    @property
    def emotions(self) -> list[str]:
        """The names of the classes, in their order."""
        return list(self.evaluation["by_class"])


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
    """What the card of a release says besides.

    Attributes:
        name: what the release is called.
        commit: that of the code, as the card shall name it.
        source_md5: that of the source, as dvc.lock names it.
        weights: the type of the weights in the .keras file.
        accuracy: that of the .keras file on the test split, 0 to 1.
        time: how long training took, and on what, as the stage train noted it; None where that is not known.
    """

    name: str
    commit: str
    source_md5: str
    weights: str
    accuracy: float
    time: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Layout:
    """Where the card links to, from where it lies: its plots by what they show, and the params."""

    plots: Mapping[str, str] = field(default_factory=dict)
    params: str = "params.yaml"


def read_facts(metrics: Path, params: Params, predictions: Path = PREDICTIONS) -> Facts:
    """Return what the metrics files in the folder `metrics` and the table `predictions` say.

    Args:
        metrics: has evaluate.json, train.json, dataset.json and export.json.
        params: of that run, the sections source, split, labels, features, train and evaluate.

    Raises:
        InputError: a file is missing or broken.
    """
    files = (EVALUATION_METRICS, TRAINING_METRICS, DATASET_METRICS, EXPORT_METRICS)
    evaluation, training, dataset, export = (read_json(metrics / file.name) for file in files)
    return Facts(evaluation, training, dataset, export, read_predictions(predictions), params)


def make_card(facts: Facts, files: Sequence[ModelFile], layout: Layout, release: Release | None = None) -> str:
    """Return the card in Markdown.

    Args:
        facts: what was measured.
        files: the model files, that of Keras first.
        layout: what it links to.
        release: what is known of a release; None for the card of the pipeline's last run.
    """
    sections = [
        f"# {release.name if release else 'Model card'}",
        _describe_model(facts, release),
        "## What it is for",
        PURPOSE,
        "## Using it",
        _describe_use(facts, files, release),
        "## Figures",
        _describe_scores(facts),
        _describe_classes(facts),
        "### Calibration",
        _describe_calibration(facts),
        "### What it mixes up",
        _describe_confusions(facts),
        _plot(layout, "confusion", "Confusion on the test split"),
        "### Files",
        _describe_files(facts, files, release),
        "## How it was trained and scored",
        _describe_protocol(facts),
        _describe_training(facts, layout, release),
        _plot(layout, "training", "Loss and accuracy by epoch"),
        "## Data",
        _describe_data(facts, release),
        _describe_people(facts),
        "## What it must not be used for",
        LIMITS,
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def figure_text(scores: Mapping[str, Any], name: str) -> str:
    """Return a score as people read it, with its interval where it has one: `68.8 % (67.3 to 70.3)`."""
    write, unit = (percent, " %") if "accuracy" in name else (number, "")
    low, high = scores.get(f"{name}_low"), scores.get(f"{name}_high")
    interval = "" if low is None else f" ({write(low).removesuffix(unit)} to {write(high).removesuffix(unit)})"
    return write(scores[name]) + interval


def percent(share: float | None, decimals: int = 1) -> str:
    """Return 0.784 as `78.4 %`, and what has no value as a dash."""
    return MISSING if share is None else f"{100 * share:.{decimals}f} %"


def number(value: float | None) -> str:
    """Return 0.9312 as `0.931`, and what has no value as a dash."""
    return MISSING if value is None else f"{value:.3f}"


def share_interval(share: float | None, images: int) -> str:
    """Return the 95 % interval of a share of so many images, by Wilson 1927: `0.848 to 0.959`."""
    if share is None or not images:
        return MISSING
    share = round(share * images) / images  # before its decimals were rounded
    square = NORMAL**2
    middle = share + square / (2 * images)
    reach = NORMAL * math.sqrt(share * (1 - share) / images + square / (4 * images**2))
    low, high = ((middle + sign * reach) / (1 + square / images) for sign in (-1, 1))
    return f"{number(max(low, 0))} to {number(min(high, 1))}"


def find_confusions(facts: Facts) -> list[tuple[str, str, int, int]]:
    """Return actual emotion, predicted one, images and all images of the actual one; the largest shares first."""
    counts = facts.predictions.groupby(["actual", "predicted"]).size().to_dict()
    support = {emotion: int(scores["support"]) for emotion, scores in facts.evaluation["by_class"].items()}
    cells = [
        (actual, predicted, int(counts.get((actual, predicted), 0)), support[actual])
        for actual in facts.emotions
        for predicted in facts.emotions
        if actual != predicted
    ]
    found = [cell for cell in cells if cell[2]]
    return sorted(found, key=lambda cell: -cell[2] / cell[3])[:MOST_CONFUSIONS]


def find_source(lock: Mapping[str, Any], folder: str) -> str:
    """Return the md5 of the source in `folder` by which the table of images was made.

    Raises:
        InputError: `lock`, the content of dvc.lock, does not say.
    """
    deps = lock.get("stages", {}).get("create_dataframe", {}).get("deps", [])
    found = [dep["md5"] for dep in deps if dep["path"] == folder]
    if not found:
        raise InputError(f"dvc.lock does not say what {folder} (source.folder) held; run `dvc repro`")
    md5: str = found[0]
    return md5


def _describe_model(facts: Facts, release: Release | None) -> str:
    training, features = facts.training, facts.params.features
    files = "evaluate.json, train.json, dataset.json and export.json"
    written = (
        f"Written by `emotion release`; its figures are those of {files} in this folder"
        if release
        else f"Written by the stage `card`; its figures are those of {files} in this folder, and of params.yaml"
    )
    return (
        f"A network that tells apart {len(facts.emotions)} facial expressions: {', '.join(facts.emotions)}. It is of "
        f"the architecture `{facts.params.train.architecture}`: {training['parameters']:,} parameters, "
        f"{training['multiply_adds'] / 1e6:,.1f} million multiply-adds an image. It takes one face at a time, "
        f"cropped, as {features.image_size}x{features.image_size} pixels, {features.color}.\n\n{written}. What it "
        "must not be used for stands at the end."
    )


def _describe_use(facts: Facts, files: Sequence[ModelFile], release: Release | None) -> str:
    paths = [file.path.as_posix() for file in files]
    commands = [f"dvc pull {' '.join(paths)}"] if release else []
    commands += [f"emotion predict photo.jpg --model {path}" for path in paths[:2]]
    return (
        f"{_code('bash', *commands)}\n\n`emotion predict` finds faces, crops them, and shows calibrated probabilities. "
        "For .tflite and .onnx files it needs no TensorFlow, only what requirements-predict.txt lists. With Keras "
        "alone, and nothing of this project:\n\n"
        + _code("python", "import keras", "", f'model = keras.models.load_model("{paths[0]}")')
        + f"\n\n{_describe_form(facts)}"
    )


def _describe_form(facts: Facts) -> str:
    features, emotions = facts.params.features, facts.emotions
    size, channels = features.image_size, CHANNELS[features.color]
    larger = facts.params.train.inference_size
    enlarges = f"enlarges them to {larger} pixels inside, " if larger else ""
    gives = (
        f"the probability of {emotions[1]}, (n, 1)"
        if len(emotions) == 2
        else f"the probabilities of {', '.join(emotions)}, (n, {len(emotions)})"
    )
    return (
        f"It takes {features.color} images of faces as uint8 (n, {size}, {size}, {channels}), scales them itself, "
        f"{enlarges}and gives {gives}, not calibrated. The file's member `emotion.json` holds the emotions in this "
        "order. TensorFlow Lite and ONNX files take and give the same; they hold the emotions in the zip member "
        "`emotion.json` and the metadata property `emotion`."
    )


def _code(language: str, *lines: str) -> str:
    return "\n".join([f"```{language}", *lines, "```"])


def _describe_scores(facts: Facts) -> str:
    evaluate, emotions = facts.params.evaluate, facts.emotions
    notes = [f"In brackets: 95 % intervals from {evaluate.bootstrap:,} bootstrap samples of images, for one model."]
    notes += ["The probabilities of each image and its mirror image are averaged."] if evaluate.flip else []
    notes += (
        [f"An image shows {emotions[1]} where the probability of that is above {evaluate.threshold:g}."]
        if len(emotions) == 2
        else []
    )
    return f"{_score_table(facts, SCORES)}\n\n{' '.join(notes)}"


def _score_table(facts: Facts, titles: Mapping[str, str]) -> str:
    test, alone = facts.evaluation["test"], facts.evaluation["test_unique"]
    return _table(
        ["", f"test split, {test['images']:,} images", f"those that stand nowhere else, {alone['images']:,}"],
        [
            [title, figure_text(test, key), figure_text(alone, key)]
            for key, title in titles.items()
            if key in test  # two emotions have no top-2 accuracy
        ],
    )


def _describe_classes(facts: Facts) -> str:
    table = _table(
        ["emotion", *CLASS_SCORES.values(), "images", "recall, 95 %"],
        [
            [
                emotion,
                *(number(scores[key]) for key in CLASS_SCORES),
                f"{scores['support']:,}",
                share_interval(scores["recall"], scores["support"]),
            ]
            for emotion, scores in facts.evaluation["by_class"].items()
        ],
    )
    return (
        f"{table}\n\nRecall is the share of the emotion's images that are read right, with its interval by Wilson's "
        "formula; precision the share of right ones among those that are taken for it."
    )


def _describe_calibration(facts: Facts) -> str:
    evaluate = facts.params.evaluate
    return (
        f"{_score_table(facts, CALIBRATION)}\n\nThe calibration error is how far confidence is from the share that is "
        f"read right, on average over {evaluate.bins} ranges of confidence. The temperature, "
        f"{number(facts.evaluation['temperature'])}, was fitted on the validation split (Guo et al. 2017); logits are "
        "divided by it. `emotion predict` does that, `model.predict` does not."
    )


def _describe_confusions(facts: Facts) -> str:
    found = find_confusions(facts)
    if not found:
        return "No test image was read wrong."
    lines = [
        f"- {actual} is taken for {predicted} in {percent(images / support)} of its images ({images:,} of {support:,})"
        for actual, predicted, images, support in found
    ]
    return "On the test split, the largest shares first:\n\n" + "\n".join(lines)


def _describe_files(facts: Facts, files: Sequence[ModelFile], release: Release | None) -> str:
    timed = any(file.milliseconds is not None for file in files)
    head = ["file", "for", "MB", "accuracy on the test split", "agreement", "largest difference"]
    rows: list[list[object]] = [
        [
            f"`{file.path.name}`",
            file.kind,
            f"{file.size / 1e6:.2f}",
            percent(file.scores["accuracy"], 2),
            percent(file.scores["agreement"], 2),
            number(file.scores["largest_difference"]),
            *([MISSING if file.milliseconds is None else f"{file.milliseconds:.2f}"] if timed else []),
        ]
        for file in files
    ]
    text = (
        f"{_table([*head, *(['ms a face'] if timed else [])], rows)}\n\nAgreement is the share of test images that a "
        "file reads as the Keras model does, and the difference that of a probability from its. The int8 file was "
        "quantised with training images."
    )
    return f"{text}{_describe_weights(release)}"


def _describe_weights(release: Release | None) -> str:
    if release is None or release.weights == "float32":
        return ""
    return (
        f"\n\nThe figures further above are of the weights as trained. model.keras holds them rounded to "
        f"{release.weights}, in half the bytes; it computes in float32 all the same. So stored, the accuracy on the "
        f"test split is {percent(release.accuracy, 2)}."
    )


def _describe_protocol(facts: Facts) -> str:
    split, train, validation = facts.params.split, facts.params.train, facts.evaluation["validation"]
    copies = (
        "Training keeps copies of validation and test images, so that the test figures are too good by that much."
        if split.keep_copies
        else "Copies of test images were taken out of training and validation, and those of validation images out "
        "of training."
    )
    chosen = "accuracy" if train.monitor == "accuracy" else "loss"
    lines = [
        "The splits are the source's own. One that it does not bring is cut from its training images, the same share "
        f"of each emotion ({percent(split.validation, 0)} for validation, {percent(split.test, 0)} for test, seed "
        f"{split.seed}), copies together.",
        copies,
        "Weights were fitted on the training split alone.",
        f"The epoch (by its {chosen}) and the temperature were chosen on the validation split; there the accuracy is "
        f"{figure_text(validation, 'accuracy')} and macro F1 {figure_text(validation, 'macro_f1')}, on "
        f"{validation['images']:,} images, too good by those choices.",
        "The stage `evaluate` scores the test split once a run, when all is chosen; no stage chooses by it.",
        "One model, one seed: another seed would move the figures too, which the intervals do not tell.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _describe_training(facts: Facts, layout: Layout, release: Release | None) -> str:
    params, training = facts.params, facts.training
    scheme = resolve_scheme(params.labels.scheme)
    rows: list[list[object]] = [
        ["train.architecture", f"`{params.train.architecture}`"],
        ["train.seed", params.train.seed],
        ["train.epochs", params.train.epochs],
        ["train.precision", params.train.precision],
        ["labels.scheme", f"{scheme.written}, targets: {params.labels.targets}"],
        ["features", f"{params.features.image_size} pixels, {params.features.color}"],
    ]
    if params.train.init_from is not None:
        rows.append(["train.init_from", f"`{params.train.init_from}`"])
    if params.train.teachers:
        names = ", ".join(f"`{name}`" for name in params.train.teachers)
        sees = f"sees {params.train.teacher_inputs} images"
        rows.append(["train.teacher", f"{names}, for {percent(params.train.teacher_share, 0)}, {sees}"])
    commit = f" Commit of the code: {release.commit}." if release else ""
    return (
        f"The best epoch by validation was {training['best_epoch']} of {training['epochs']}."
        f"{_describe_time(release.time if release else None)}\n\n{_table(['param', 'value'], rows)}\n\nAll of them are "
        f"in [params.yaml]({layout.params}).{commit}"
    )


def _describe_time(time: Mapping[str, Any] | None) -> str:
    if time is None:
        return ""
    threads = "one thread" if time["threads"] == 1 else f"{time['threads']} threads"
    device = time["accelerator"] or f"{threads} of {time['processor']}"
    return f" Training took {time['seconds'] / 60:,.0f} minutes, with {time['backend']} on {device}."


def _describe_data(facts: Facts, release: Release | None) -> str:
    dataset, folder = facts.dataset, facts.params.source.folder
    counts, across, excluded = dataset["images"], dataset["copies"]["across"], dataset["excluded"]
    conflicts = dataset["conflicting_labels"]
    copies = excluded["total"] - excluded["scheme"]
    splits = ", ".join(f"{counts[split]['total']:,} {title}" for split, title in SPLIT_TITLES.items())
    md5 = f" with the md5 `{release.source_md5}`, as dvc.lock names it" if release else ""
    return (
        f"`{folder}`{md5}: {dataset['source_images']:,} images, of which {splits}. Left out: {copies:,} as copies "
        f"of validation and test images, {excluded['scheme']:,} whose emotion the model does not tell, "
        f"{dataset['rejected']:,} unreadable. Of the source's test images, {across['test_in_train']:,} also stand in "
        f"its training split, and {across['test_in_val']:,} in its validation split. {conflicts['groups']:,} groups of "
        f"equal images, {conflicts['images']:,} in all, have labels that contradict each other.\n\n"
        f"sha256 of the images that are used, over hash of the pixels, emotion and split of each: "
        f"`{dataset['sha256']}`. Equal for equal images in any order, layout or file format.\n\n"
        + _table(
            ["emotion", *SPLIT_TITLES.values()],
            [[name, *(f"{counts[split][name]:,}" for split in SPLIT_TITLES)] for name in facts.emotions],
        )
    )


def _describe_people(facts: Facts) -> str:
    """Say whom the images show, as far as that follows from where they come from."""
    if Path(facts.params.source.folder) == SAMPLE_ARCHIVE.parent:
        return DRAWN
    size = facts.dataset["size"]
    if facts.dataset["source_images"] == FER2013_IMAGES and set(size.values()) == {48}:
        votes = (
            "labels are the majority of ten people's votes (FER+, Barsoum et al. 2016), less noisy than the first ones"
        )
        return FER2013 + (f" Here the {votes}." if facts.params.labels.scheme == "ferplus" else "")
    return UNKNOWN


def _plot(layout: Layout, name: str, title: str) -> str:
    return f"![{title}]({layout.plots[name]})" if name in layout.plots else ""


def _table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |".replace("|  |", "| |") for line in lines)
