"""FER+: the votes of ten people on each image of FER2013, which replace FER2013's labels.

Barsoum, Zhang, Canton Ferrer and Zhang 2016, "Training Deep Networks for Facial Expression Recognition with
Crowd-Sourced Label Distribution". The file of votes has a row for each row of fer2013.csv, in the same order.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from emotion.core.emotion_names import KNOWN_EMOTIONS
from emotion.core.errors import InputError
from emotion.core.labels import FERPLUS, SCHEMES
from emotion.core.stores import Location, StoreAddress
from emotion.ingest.collect import Collected
from emotion.ingest.sources.source import Source, split_of
from emotion.ingest.sources.tables.table_source import TableSource

FERPLUS_FILE = "fer2013new.csv"
"""The file with the votes on the rows of fer2013.csv. It is no source, since it has no images."""

CHOICES = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprise",
    "neutral": "neutral",
    "contempt": "contempt",
    "unknown": "unknown",
    "NF": "no face",
}
"""The choices that people had, in the order of the scheme's labels: column of the file, and name used here."""

LABEL_FILE_CHOICES = (
    *("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF"),
)
"""The same choices in the order of the files label.csv of FER+, which have no first line."""

CARRIED_VOTES = "ferplus_votes"
"""The further column of a source that has the votes itself: for each of CHOICES, such as `4 0 0 1 3 2 0 0 0 0`."""

MAJORITY = "ferplus_majority"
"""The column of the table for `evaluate.groups` that says `yes` where people agree: see `find_majorities`."""

CLASSES = len(SCHEMES[FERPLUS])
"""Number of emotions among the choices. They come first."""

MAX_VOTES = 255

HOW_TO_GET_VOTES = (
    f"Get {FERPLUS_FILE} from github.com/microsoft/FERPlus and put it beside the source, or set labels.scheme to seven"
)


class Votes(NamedTuple):
    """The votes in the file, one row per row of fer2013.csv."""

    path: Path
    splits: list[str]
    """The split of each row, from its Usage."""
    counts: np.ndarray
    """uint8 of shape (rows, len(CHOICES)): the number of votes for each choice."""


def is_ferplus(name: str) -> bool:
    """Return whether a file of this name holds the votes of FER+."""
    return name.lower() == FERPLUS_FILE


def read_votes(folder: Location, source: Source) -> Votes | None:
    """Read the votes on the images of `source` from the file in `folder`, or else beside the source.

    A source that has the votes itself, in the column CARRIED_VOTES, needs no file; the result is None.

    Raises:
        InputError: the source is not a CSV file; or the file of votes is missing, lacks a column, or holds values
            that are not numbers of votes.
    """
    if CARRIED_VOTES in source.columns:
        return None
    if not isinstance(source, TableSource) or isinstance(folder, StoreAddress):
        raise InputError(
            f"labels.scheme: got {FERPLUS}, whose votes need the rows of fer2013.csv, but {source.name} holds image "
            "files. Use fer2013.tar.gz or fer2013.csv, or set labels.scheme to seven"
        )
    path = _find_file([folder, Path(source.name).parent])
    table = _read_columns(path)
    usages = table.pop("usage").str.strip()
    splits = usages.map(split_of)
    strange = np.flatnonzero(splits.isna())
    if strange.size:
        row = strange[0]
        raise InputError(
            f"{path}: row {row} has the Usage {usages[row]!r}, expected Training, PublicTest or PrivateTest"
        )
    return Votes(path, splits.tolist(), _parse_counts(table, path))


def _find_file(folders: Sequence[Path]) -> Path:
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if is_ferplus(path.name):
                return path
    raise InputError(f"labels.scheme: got {FERPLUS}, but {folders[0]} holds no {FERPLUS_FILE}. {HOW_TO_GET_VOTES}")


def _read_columns(path: Path) -> pd.DataFrame:
    """Return the columns `usage` and those of CHOICES, in that order and in lower case, as text."""
    try:
        # With a header, pandas would rename the second of two columns of the same name.
        lines = pd.read_csv(path, header=None, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table of votes ({error}). {HOW_TO_GET_VOTES}") from None
    table = lines[1:].reset_index(drop=True).set_axis(lines.iloc[0].str.strip().str.lower(), axis=1)
    names = ["usage", *(name.lower() for name in CHOICES)]
    missing = [name for name in names if list(table.columns).count(name) != 1]
    if missing:
        raise InputError(
            f"{path}: got the columns {', '.join(table.columns)[:200]}, expected each of Usage, {', '.join(CHOICES)} "
            f"once; missing or repeated: {', '.join(missing)}. {HOW_TO_GET_VOTES}"
        )
    return table[names]


def _parse_counts(table: pd.DataFrame, path: Path) -> np.ndarray:
    counts = table.apply(pd.to_numeric, errors="coerce").astype("float64")
    wrong = ~((counts >= 0) & (counts <= MAX_VOTES) & (counts % 1 == 0))
    if wrong.any(axis=None):
        row, column = np.argwhere(wrong.to_numpy())[0]
        raise InputError(
            f"{path}: row {row} has {table.iat[row, column]!r} as {table.columns[column]}, expected a number of votes "
            f"from 0 to {MAX_VOTES}"
        )
    numbers: np.ndarray = counts.to_numpy(np.uint8)
    return numbers


def match_votes(votes: Votes | None, collected: Collected, source: str) -> np.ndarray:
    """Return the votes on each of the collected images, uint8 of shape (images, len(CHOICES)).

    An image is matched by its place, `row 17`; rows that were rejected have votes too. Where `votes` is None, the
    images have them in the column CARRIED_VOTES.

    Raises:
        InputError: votes and source differ in the number of rows or in the splits.
    """
    if votes is None:
        return parse_votes(collected.images[CARRIED_VOTES])
    rows = _row_numbers(collected.images)
    _check_count(votes, np.concatenate([rows, _row_numbers(collected.rejected)]), source)
    pairs = zip(rows, collected.images["split"], strict=True)
    differing = [(row, split) for row, split in pairs if split is not None and split != votes.splits[row]]
    if differing:
        row, split = differing[0]
        raise InputError(
            f"{votes.path}: {len(differing):,} rows have another split than in {source}; row {row} has "
            f"{votes.splits[row]} here and {split} there. Expected the rows of FER2013 in their official order. "
            f"{HOW_TO_GET_VOTES}"
        )
    matched: np.ndarray = votes.counts[rows]
    return matched


def _row_numbers(images: pd.DataFrame) -> np.ndarray:
    return images["image"].str.removeprefix("row ").astype("int64").to_numpy()


def _check_count(votes: Votes, rows: np.ndarray, source: str) -> None:
    # Empty lines are numbered too, so the number of the last row can be higher than the count.
    expected = len(rows) if len(rows) != len(votes.counts) else int(rows.max()) + 1
    if len(votes.counts) != expected:
        raise InputError(
            f"{votes.path}: {len(votes.counts):,} rows, but {source} has {expected:,}; expected a row of votes for "
            f"each image. {HOW_TO_GET_VOTES}"
        )


def choose_by_majority(counts: np.ndarray, own: pd.Series) -> pd.Series:
    """Return the choice of most people for each image: an emotion, `unknown` or `no face`.

    At equal votes, an emotion wins over `unknown`, and `unknown` over `no face`. Of several emotions, the source's
    label wins where it is one of them, and otherwise the first in the order of the labels. An image without votes is
    unknown. The scripts of the authors are stricter: see `find_majorities`.

    Args:
        counts: uint8 of shape (images, len(CHOICES)), as `match_votes` returns it.
        own: the source's emotion of each image, or an empty text; the result has its index.
    """
    emotions, others = counts[:, :CLASSES], counts[:, CLASSES:]
    most = emotions.max(axis=1)
    # The first emotion is chosen before the others anyway, so it stands for none.
    labels = np.maximum(_own_labels(own), 0)
    own_is_first = emotions[np.arange(len(counts)), labels] == most
    chosen = np.where(own_is_first, labels, emotions.argmax(axis=1))
    is_other = (others.max(axis=1) > most) | (most == 0)
    chosen[is_other] = CLASSES + others.argmax(axis=1)[is_other]
    return pd.Series(np.array(list(CHOICES.values()), dtype=object)[chosen], index=own.index)


def _own_labels(own: pd.Series) -> np.ndarray:
    """Return the place of each emotion in KNOWN_EMOTIONS, int64; -1 where it is none of them."""
    places = {name: place for place, name in enumerate(KNOWN_EMOTIONS)}
    labels: np.ndarray = own.map(places).fillna(-1).to_numpy(np.int64)
    return labels


def drop_single_votes(counts: np.ndarray) -> np.ndarray:
    """Return the votes without the choices of one person only, as the scripts of FER+'s authors count them.

    An image whose emotions have no more than one vote each keeps those.

    Args:
        counts: uint8 of shape (images, len(CHOICES)), as `match_votes` returns it; the result is such too.
    """
    kept = np.where(counts > 1, counts, 0)
    lost = kept[:, :CLASSES].max(axis=1) == 0
    kept[lost, :CLASSES] = counts[lost, :CLASSES]
    return kept


def find_majorities(counts: np.ndarray) -> np.ndarray:
    """Return which images show an emotion by more than half of the votes, single votes aside; bool of shape (images,).

    These are the images that the scripts of FER+'s authors test on, 3,153 of PrivateTest. Published accuracies on FER+
    are for them.

    Args:
        counts: uint8 of shape (images, len(CHOICES)), as `match_votes` returns it.
    """
    kept = np.where(counts > 1, counts, 0).astype(np.int64)
    majorities: np.ndarray = 2 * kept[:, :CLASSES].max(axis=1) > kept.sum(axis=1)
    return majorities


def target_votes(counts: np.ndarray, own: pd.Series, source_votes: int) -> np.ndarray:
    """Return the votes that make the targets: those of `drop_single_votes`, with `source_votes` for the source's label.

    The source's label and the people's votes err differently, so targets of both teach more than either. A label that
    no person chose has no votes. In FER2013 that is 60 % of the labels fear, and 25 % of the labels angry.

    Args:
        counts: uint8 of shape (images, len(CHOICES)), as `match_votes` returns it; the result is such too, and counts
            up to MAX_VOTES.
        own: the source's emotion of each image, or an empty text, which has no votes.
        source_votes: 0 to 100.
    """
    votes = drop_single_votes(counts).astype(np.int64)
    labels = _own_labels(own)
    rows = np.flatnonzero((labels >= 0) & (counts[np.arange(len(counts)), labels] > 0))
    votes[rows, labels[rows]] += source_votes
    return np.minimum(votes, MAX_VOTES).astype(np.uint8)


def format_votes(votes: np.ndarray) -> list[str]:
    """Return votes, integers of shape (images, classes), as the table's column `votes`: `4 0 0 1 3`."""
    return [" ".join(map(str, row)) for row in votes.tolist()]


def parse_votes(column: pd.Series) -> np.ndarray:
    """Return the votes in the column `votes`, uint8 of shape (images, classes).

    Raises:
        InputError: a row holds no numbers from 0 to 255, or not as many as the others.
    """
    try:
        votes = np.array([row.split() for row in column], dtype=np.uint8)
    except (ValueError, OverflowError) as error:
        raise InputError(
            f"the table's column votes cannot be read ({error}); run `dvc repro create_dataframe`"
        ) from None
    return votes.reshape(len(column), -1) if len(column) else np.empty((0, 0), np.uint8)
