"""Suspect labels of FER2013 against the votes of FER+, and a training before and after decisions on them.

    python -m benchmarks.label_audit suspects
    python -m benchmarks.label_audit decide people
    python -m benchmarks.label_audit score before

Each command runs in the root folder after the steps that it needs; docs/labels.md has all of them in order. It needs
FER2013 with FER+'s fer2013new.csv in data/raw and the preset fer2013-quick.

- suspects: needs `emotion labels audit`. It holds the suspects against the majority of ten people's votes.
- decide: writes decisions on the suspects to data/labels/NAME.csv. `people` decides as most people voted: it confirms,
  changes, or drops what they called unknown, no face or contempt. `models` takes the suggested label where its
  probability is at least SURE. `prune` drops every suspect.
- score: needs `dvc repro train`. It scores models/trained.keras on PublicTest by the labels of FER+, under NAME.

PublicTest chooses the epoch of a training, so its figures are a little too good, before and after alike. PrivateTest is
left for releases. results/label_audit.json gets the figures.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.face_results import write_section
from emotion.app.labels.files import SUSPECTS
from emotion.audit.audited_images import AUDITED_SPLITS
from emotion.audit.people import find_people, read_rejected
from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError, run_command
from emotion.core.files import read_json
from emotion.core.params import load_params
from emotion.core.paths import LABELS, PIXELS, TABLE, TRAINED_MODEL
from emotion.data.table import DROPPED, read_table
from emotion.evaluation import metrics
from emotion.ingest.decision_file import CHANGE, COLUMNS, CONFIRM, DROP, write_decisions
from emotion.ingest.ferplus import choose_by_majority
from emotion.ingest.pixels import load_pixels

RESULT = Path("results/label_audit.json")

FIRST = (100, 500, 1000, 2000)
"""Numbers of most suspect labels whose precision is stated."""

SURE = 0.7
"""Probability from which `models` takes the suggested label."""

SIZE = 48


def read_majority(table: pd.DataFrame, own: pd.Series) -> pd.Series:
    """Return the choice of most people for each row of the table: an emotion, `unknown` or `no face`.

    Args:
        table: of FER2013.
        own: the emotion of each row that wins where two have most votes; the first one wins where it is empty.

    Raises:
        InputError: there are no votes on these images.
    """
    params = load_params("source", "labels")
    people = find_people(table, read_rejected(), params.source, params.labels)
    if people is None:
        raise InputError(f"{params.source.folder} has no fer2013new.csv; get it from github.com/microsoft/FERPlus")
    return choose_by_majority(people.votes, own)


def read_suspects(table: pd.DataFrame, majority: pd.Series) -> pd.DataFrame:
    """Return the suspects, most suspect first, with the column `people`: the choice of most people."""
    try:
        suspects = pd.read_csv(SUSPECTS, keep_default_na=False)
    except FileNotFoundError:
        raise InputError(f"{SUSPECTS} is missing; make it with `emotion labels audit`") from None
    by_image = pd.Series(majority.to_numpy(), table["image"])
    return suspects.assign(people=suspects["image"].map(by_image))


def measure_suspects(suspects: pd.DataFrame, table: pd.DataFrame, majority: pd.Series) -> dict[str, Any]:
    """Return how many labels are suspect, and which share of the first ones people contradict."""
    audited = (table["excluded"] == "") & table["split"].isin(AUDITED_SPLITS)
    differs = (table["emotion"] != majority)[audited]
    return {
        "audited": int(audited.sum()),
        "suspects": len(suspects),
        "contradicted": {"images": int(differs.sum()), "share": float(differs.mean())},
        "recall": float((suspects["given"] != suspects["people"]).sum() / differs.sum()),
        "first": {str(count): precision(suspects.head(count)) for count in [*FIRST, len(suspects)]},
    }


def precision(suspects: pd.DataFrame) -> dict[str, float]:
    """Return shares of suspects: those that most people label otherwise, and those whose suggestion they share."""
    people = suspects["people"]
    return {
        "contradicted": float((suspects["given"] != people).mean()),
        "suggestion_right": float((suspects["suggested"] == people).mean()),
        "no_emotion_of_the_seven": float((~people.isin(EMOTIONS)).mean()),
    }


def decide_as_people(suspects: pd.DataFrame) -> pd.DataFrame:
    """Return a decision on each suspect, as most people voted."""
    people = suspects["people"]
    word = np.where(people == suspects["given"], CONFIRM, np.where(people.isin(EMOTIONS), CHANGE, DROP))
    return _decisions(suspects, word, people)


def decide_as_models(suspects: pd.DataFrame) -> pd.DataFrame:
    """Return a change for each suspect of whose suggested label the models are SURE."""
    sure = suspects[suspects[[f"p_{name}" for name in EMOTIONS]].max(axis=1) >= SURE]
    return _decisions(sure, np.full(len(sure), CHANGE), sure["suggested"])


def decide_to_prune(suspects: pd.DataFrame) -> pd.DataFrame:
    """Return a decision that drops each suspect."""
    return _decisions(suspects, np.full(len(suspects), DROP), suspects["given"])


def _decisions(suspects: pd.DataFrame, words: np.ndarray, emotions: pd.Series) -> pd.DataFrame:
    changed = emotions.where(words == CHANGE, "")
    table = suspects[["hash", "given"]].assign(decision=words, emotion=changed, note="")
    return table[list(COLUMNS)]


WAYS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "people": decide_as_people,
    "models": decide_as_models,
    "prune": decide_to_prune,
}


def score(y_true: np.ndarray, y_pred: np.ndarray) -> dict[str, Any]:
    """Return accuracy, balanced accuracy and macro F1 of labels (n,), with the recall by emotion."""
    confusion = metrics.count_confusion(y_true, y_pred, len(EMOTIONS))
    return {
        "images": len(y_true),
        "accuracy": float(metrics.accuracy(confusion)),
        "balanced_accuracy": float(metrics.balanced_accuracy(confusion)),
        "macro_f1": float(metrics.macro_f1(confusion)),
        "recall": dict(zip(EMOTIONS, metrics.recall(confusion).tolist(), strict=True)),
    }


def score_model(table: pd.DataFrame, majority: pd.Series) -> dict[str, Any]:
    """Return the scores of models/trained.keras on PublicTest by the labels of FER+.

    The images are the same whatever was decided: those that training uses, and those that decisions dropped.
    """
    from emotion.model_files.keras_file import load_model
    from emotion.model_files.probabilities import predict_probabilities

    chosen = (table["split"] == "val") & table["excluded"].isin(["", DROPPED]) & majority.isin(EMOTIONS)
    pixels = load_pixels(PIXELS)
    images = np.stack([pixels[offset : offset + SIZE**2] for offset in table.loc[chosen, "offset"]])
    model, _ = load_model(TRAINED_MODEL)
    probabilities = predict_probabilities(model, images.reshape(-1, SIZE, SIZE, 1), flip=True)
    return score(majority[chosen].map(EMOTIONS.index).to_numpy(), probabilities.argmax(axis=1))


def save(section: str, content: Any) -> None:
    """Write a section of RESULT, and print it."""
    write_section(section, content, RESULT)
    print(f"{section}: {content}")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("suspects")
    decide = commands.add_parser("decide")
    decide.add_argument("way", choices=WAYS)
    decide.add_argument("--first", type=int, help="number of suspects that are decided on (default: all)")
    commands.add_parser("score").add_argument("name", help="such as before")
    arguments = parser.parse_args()
    table = read_table(TABLE)
    if arguments.command == "score":
        # The labels of the table depend on decisions, and the figures may not.
        majority = read_majority(table, pd.Series("", table.index))
        trainings = (read_json(RESULT) if RESULT.exists() else {}).get("trainings", {})
        save("trainings", trainings | {arguments.name: score_model(table, majority)})
        return
    majority = read_majority(table, table["emotion"])
    suspects = read_suspects(table, majority)
    if arguments.command == "suspects":
        save("suspects", measure_suspects(suspects, table, majority))
        return
    decisions = WAYS[arguments.way](suspects.head(arguments.first or len(suspects)))
    write_decisions(LABELS / f"{arguments.way}.csv", decisions)
    print(f"{arguments.way}.csv: {decisions['decision'].value_counts().to_dict()}")


if __name__ == "__main__":
    run_command(main)
