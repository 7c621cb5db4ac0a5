"""The card of a released model: what it is and what it scored, written from the files beside it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotion.errors import InputError
from emotion.labels import resolve_scheme
from emotion.model_form import CHANNELS
from emotion.params import PARAMS_FILE, Params, load_params, read_yaml
from emotion.paths import TRAINING_TIME

if TYPE_CHECKING:  # at run time it would load Keras
    from emotion.model_form import ModelForm

MISSING = "\N{EN DASH}"
"""In the place of a figure that has no value."""

SCORES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "balanced_accuracy": "balanced accuracy",
    "expected_calibration_error": "expected calibration error",
    "calibrated_expected_calibration_error": "expected calibration error with the temperature",
}
CLASS_SCORES = {"precision": "precision", "recall": "recall", "f1": "F1", "roc_auc": "ROC AUC"}
SPLIT_TITLES = {"train": "training", "val": "validation", "test": "test"}

PLOT_TITLES = {
    "confusion": "Confusion on the test split",
    "training": "Loss and accuracy by epoch",
}

LIMITS = """\
An expression is not a feeling. The model says which expression people would most likely name in a picture of a face;
what the person feels, means or is going to do, it does not know. It is wrong as often as the figures above say, and
more often on pictures unlike those that it was trained on. Decide nothing about a person by it.

Article 5(1)(f) of the EU AI Act, Regulation (EU) 2024/1689, forbids AI systems that infer emotions of people at work
and in education, other than for medical or safety reasons."""


@dataclass(frozen=True)
class Stored:
    """The model file of a release: its form, the type of its weights, and its accuracy on the test split, 0 to 1."""

    form: "ModelForm"
    weights: str
    accuracy: float


@dataclass(frozen=True)
class _Facts:
    """What the files of a release say."""

    evaluation: dict[str, Any]
    training: dict[str, Any]
    dataset: dict[str, Any]
    time: dict[str, Any] | None
    params: Params
    lock: dict[str, Any]


def make_card(folder: Path, name: str, stored: Stored, commit: str) -> str:
    """Return the card, in Markdown, of the release called `name` whose files lie in `folder`.

    Args:
        folder: holds evaluate.json, train.json, dataset.json, params.yaml, dvc.lock, model files and plots; time.json
            where it is known how long training took.
        name: what the release will be called.
        stored: what its model.keras is.
        commit: the commit of the code, as the card shall name it.

    Raises:
        InputError: params.yaml cannot be used, or dvc.lock does not name the source that it does.
    """
    facts = _Facts(
        evaluation=read_json(folder / "evaluate.json"),
        training=read_json(folder / "train.json"),
        dataset=read_json(folder / "dataset.json"),
        time=read_json(folder / TRAINING_TIME.name) if (folder / TRAINING_TIME.name).is_file() else None,
        params=load_params("source", "labels", "features", "train", "evaluate", path=folder / PARAMS_FILE),
        lock=read_yaml(folder / "dvc.lock"),
    )
    sections = [
        f"# {name}",
        _describe_model(facts, stored.form),
        "## Loading",
        _describe_loading(name, stored.form),
        "## Figures",
        _describe_scores(facts),
        _describe_weights(stored),
        _describe_classes(facts),
        _plot(folder, "confusion"),
        "## Training",
        _describe_training(facts, commit),
        _plot(folder, "training"),
        "## Data",
        _describe_data(facts),
        "## What it is not for",
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


def _describe_model(facts: _Facts, form: "ModelForm") -> str:
    network, training = facts.params.train.architecture, facts.training
    return (
        f"A network that tells apart {len(form.emotions)} facial expressions: {', '.join(form.emotions)}. It is of the "
        f"architecture `{network}`: {training['parameters']:,} parameters, {training['multiply_adds'] / 1e6:,.1f} "
        f"million multiply-adds a picture.\n\nWritten by `emotion release`; its figures are those of evaluate.json, "
        "train.json and dataset.json in this folder."
    )


def _describe_loading(name: str, form: "ModelForm") -> str:
    gives = (
        f"the probability of {form.emotions[1]}, (n, 1)"
        if len(form.emotions) == 2
        else f"the probabilities of {', '.join(form.emotions)}, (n, {len(form.emotions)})"
    )
    path = f"models/released/{name}/model.keras"
    return (
        f"```bash\ndvc pull {path}\n```\n\n```python\nimport keras\n\n"
        f'model = keras.models.load_model("{path}")\n```\n\n'
        f"It takes {form.color} pictures of faces as uint8 (n, {form.size}, {form.size}, {CHANNELS[form.color]}), "
        f"scales them itself, and gives {gives}. The file's member `emotion.json` holds the emotions in this order."
    )


def _describe_scores(facts: _Facts) -> str:
    test, alone, validation = (facts.evaluation[key] for key in ("test", "test_unique", "validation"))
    evaluate, emotions = facts.params.evaluate, list(facts.evaluation["by_class"])
    table = _table(
        ["", f"test split, {test['pictures']:,} pictures", f"those that stand nowhere else, {alone['pictures']:,}"],
        [[title, figure_text(test, key), figure_text(alone, key)] for key, title in SCORES.items()],
    )
    notes = [f"In brackets: 95 % intervals from {evaluate.bootstrap:,} bootstrap samples of pictures, for one model."]
    notes += ["The probabilities of each picture and its mirror image are averaged."] if evaluate.flip else []
    notes += (
        [f"A picture shows {emotions[1]} where the probability of that is above {evaluate.threshold:g}."]
        if len(emotions) == 2
        else []
    )
    notes += [
        f"The temperature, {number(facts.evaluation['temperature'])}, was fitted on the validation split; there the "
        f"accuracy is {figure_text(validation, 'accuracy')} and macro F1 {figure_text(validation, 'macro_f1')}, on "
        f"{validation['pictures']:,} pictures by which the epoch was chosen as well."
    ]
    return f"{table}\n\n{' '.join(notes)}"


def _describe_weights(stored: Stored) -> str:
    if stored.weights == "float32":
        return ""
    return (
        f"These figures are of the weights as trained. model.keras holds them rounded to {stored.weights}, in half the "
        f"bytes; it computes in float32 all the same. So stored, the accuracy on the test split is "
        f"{percent(stored.accuracy, 2)}."
    )


def _describe_classes(facts: _Facts) -> str:
    return _table(
        ["emotion", *CLASS_SCORES.values(), "pictures"],
        [
            [emotion, *(number(scores[key]) for key in CLASS_SCORES), f"{scores['support']:,}"]
            for emotion, scores in facts.evaluation["by_class"].items()
        ],
    )


def _describe_training(facts: _Facts, commit: str) -> str:
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
    return (
        f"The best epoch by validation was {training['best_epoch']} of {training['epochs']}.{_describe_time(facts)}\n\n"
        f"{_table(['param', 'value'], rows)}\n\nAll of them are in [params.yaml](params.yaml). Commit of the code: "
        f"{commit}."
    )


def _describe_time(facts: _Facts) -> str:
    if facts.time is None:
        return ""
    time = facts.time
    threads = "one thread" if time["threads"] == 1 else f"{time['threads']} threads"
    device = time["accelerator"] or f"{threads} of {time['processor']}"
    return f" Training took {time['seconds'] / 60:,.0f} minutes, with {time['backend']} on {device}."


def _describe_data(facts: _Facts) -> str:
    counts, across = facts.dataset["pictures"], facts.dataset["copies"]["across"]
    excluded = facts.dataset["excluded"]
    copies = excluded["total"] - excluded["scheme"]
    splits = ", ".join(f"{counts[split]['total']:,} {title}" for split, title in SPLIT_TITLES.items())
    return (
        f"`{facts.params.source.folder}` with the md5 `{_find_source(facts)}`, as dvc.lock names it: "
        f"{facts.dataset['source_pictures']:,} pictures, of which {splits}. Left out: {copies:,} as copies of "
        f"validation and test pictures, {excluded['scheme']:,} whose emotion the model does not tell, "
        f"{facts.dataset['rejected']:,} unreadable. Of the source's test pictures, {across['test_in_train']:,} also "
        f"stand in its training split, and {across['test_in_val']:,} in its validation split."
    )


def _find_source(facts: _Facts) -> str:
    """Return the md5 of the source by which the table of pictures was made."""
    folder = facts.params.source.folder
    deps = facts.lock.get("stages", {}).get("create_dataframe", {}).get("deps", [])
    found = [dep["md5"] for dep in deps if dep["path"] == folder]
    if not found:
        raise InputError(f"dvc.lock does not say what {folder} (source.folder) held; run `dvc repro`")
    return found[0]


def _plot(folder: Path, name: str) -> str:
    return f"![{PLOT_TITLES[name]}]({name}.png)" if (folder / f"{name}.png").is_file() else ""


def _table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |".replace("|  |", "| |") for line in lines)


def read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))
