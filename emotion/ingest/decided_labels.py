"""Labels as people decided on them: decisions from a file, applied to the images of a source."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from emotion.core.emotion_names import KNOWN_EMOTIONS, name_of, suggest
from emotion.core.errors import InputError
from emotion.core.labels import Scheme
from emotion.data.table import DECISION, SPLITS
from emotion.ingest.decision_file import CHANGE, CONFIRM, DROP

COUNTED = {CONFIRM: "confirmed", CHANGE: "changed", DROP: "dropped"}
"""The decisions, and their keys in metrics/dataset.json."""


class DecidedLabels(NamedTuple):
    """The emotion of each image, and the decision on it: one of WORDS, or an empty text. Both are (images,)."""

    emotions: pd.Series
    decisions: pd.Series


def decide_labels(
    hashes: pd.Series, emotions: pd.Series, decisions: pd.DataFrame | None, scheme: Scheme, name: str = ""
) -> DecidedLabels:
    """Return the emotions after the decisions. A decision holds for every image with its hash, so also for copies.

    Args:
        hashes: of the images.
        emotions: of the images by their labels, or by the votes of people.
        decisions: as `read_decisions` returns them; None where there are none.
        scheme: the classes, whose names may stand in place of emotions.
        name: of the file, for messages.

    Raises:
        InputError: a decision is on an image that is not there, or on another label than it has. Or it names an emotion
            that is not known.
    """
    if decisions is None:
        return DecidedLabels(emotions, pd.Series("", index=emotions.index))
    check_decisions(decisions, hashes, emotions, scheme, name)
    by_hash = decisions.set_index("hash")
    _check_given(by_hash["given"], hashes, emotions, scheme, name)
    words = hashes.map(by_hash["decision"]).fillna("")
    verdicts = by_hash["emotion"].where(by_hash["decision"] == CHANGE, by_hash["given"])
    decided = hashes.map(verdicts.map(lambda text: find_member(text, scheme)))
    # A dropped image keeps its emotion. So does one whose label is of the class that was confirmed.
    kept = (words == "") | (words == DROP) | (_classes(decided, scheme) == _classes(emotions, scheme))
    return DecidedLabels(emotions.where(kept, decided), words)


def check_decisions(decisions: pd.DataFrame, hashes: pd.Series, emotions: pd.Series, scheme: Scheme, name: str) -> None:
    """Raise InputError where a decision names an unknown emotion, or is on none of the images; as `decide_labels`."""
    _check_emotions(decisions, emotions, scheme, name)
    _check_images(decisions, hashes, name)


def find_member(text: str, scheme: Scheme) -> str:
    """Return the emotion that `text` names: one of those in the class of this name, or the emotion itself."""
    if text in scheme.emotions:
        return scheme.members[scheme.emotions.index(text)][0]
    return name_of(text)


def _classes(emotions: pd.Series, scheme: Scheme) -> pd.Series:
    return emotions.map({one: scheme.name(one) for one in emotions.dropna().unique()})


def _check_emotions(decisions: pd.DataFrame, emotions: pd.Series, scheme: Scheme, name: str) -> None:
    known = [*dict.fromkeys([*scheme.emotions, *KNOWN_EMOTIONS, *scheme.own, *sorted(emotions.unique())])]
    texts = decisions.loc[decisions["decision"] == CHANGE, "emotion"]
    unknown = [text for text in texts if text not in known and find_member(text, scheme) not in known]
    if unknown:
        raise InputError(
            f"{name}: got the unknown emotion {unknown[0]!r}{suggest(unknown[0], scheme.own)} in {len(unknown):,} "
            f"decisions, expected one of {', '.join(known)}; correct the file"
        )


def _check_images(decisions: pd.DataFrame, hashes: pd.Series, name: str) -> None:
    gone = decisions.loc[~decisions["hash"].isin(hashes), "hash"]
    if len(gone):
        raise InputError(
            f"{name}: {len(gone):,} of {len(decisions):,} decisions are on images that the source does not have, or "
            f"that have changed. The first is {gone.iat[0]}. Expected hashes of images of this source, as the column "
            "hash of data/dataframe.csv has them. Bring the images back, or delete these lines, or name the decisions "
            "on this source in labels.decisions (null for none)"
        )


def _check_given(given: pd.Series, hashes: pd.Series, emotions: pd.Series, scheme: Scheme, name: str) -> None:
    """Raise InputError where no image of a hash has the label that the decision was made on."""
    labels = _classes(emotions, scheme)
    expected = hashes.map(given.map(lambda text: scheme.name(find_member(text, scheme))))
    fits = set(hashes[labels == expected])
    wrong = [one for one in given.index if one not in fits]
    if wrong:
        now = labels[hashes == wrong[0]].iat[0]
        raise InputError(
            f"{name}: {len(wrong):,} of {len(given):,} decisions were made on another label than the image has now. "
            f"The first is {wrong[0]}: got {given[wrong[0]]!r} as given, but the label is {now!r}. Decide again on "
            "these images and delete their lines, or name the decisions on these labels in labels.decisions (null for "
            "none). The schemes of FER+ have other labels than the source"
        )


def move_votes(votes: np.ndarray, before: pd.Series, after: pd.Series, scheme: Scheme) -> np.ndarray:
    """Return votes in which the emotion of a decision has all votes on the image.

    Args:
        votes: integers of shape (images, classes).
        before: the emotion of each image by the votes.
        after: the emotion after the decisions. Where both are equal, the votes stay.
        scheme: the classes. Images outside of them keep their votes, since nothing uses them.
    """
    moved = votes.copy()
    labels = after.map({one: scheme.label(one) for one in after.unique()}).to_numpy()
    rows = np.flatnonzero((before != after).to_numpy() & (labels >= 0))
    moved[rows] = 0
    moved[rows, labels[rows]] = np.maximum(1, votes[rows].sum(axis=1))
    return moved


def count_decisions(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return the number of images of the table by decision and split, with the total."""
    counts = table.groupby([DECISION, "split"]).size().to_dict()
    found = {key: {split: int(counts.get((word, split), 0)) for split in SPLITS} for word, key in COUNTED.items()}
    return {key: {"total": sum(splits.values()), **splits} for key, splits in found.items()}


def describe_decisions(counts: Mapping[str, Mapping[str, int]], name: str) -> str:
    """Return the counts of `count_decisions` for messages: `decisions.csv: of the images, 5 confirmed, 3 changed`."""
    numbers = ", ".join(f"{splits['total']:,} {key}" for key, splits in counts.items())
    return f"{name}: of the images, {numbers}"
