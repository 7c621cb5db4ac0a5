"""The images whose labels are audited: those of the training and validation splits, as arrays and as rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from emotion.core.errors import InputError
from emotion.core.paths import FEATURES, TABLE
from emotion.data.table import DECISION, VOTES_COLUMN
from emotion.ingest.ferplus import parse_votes
from emotion.ingest.splitting.group_splits import number_units

AUDITED_SPLITS = ("train", "val")
"""The splits whose labels are audited.

The test split is not: a test set without the labels that models doubt would give models too good figures.
"""


@dataclass(frozen=True)
class AuditedImages:
    """The images, their labels, and what belongs together.

    Attributes:
        rows: their rows of the table of images, with the index of the table.
        x: uint8 (images, size, size, channels).
        labels: the number of the class of each image, int (images,).
        units: the number of the unit of each image, (images,). Images of one unit share a group, or are copies.
        votes: people's votes for the classes, uint8 (images, classes), where training aims at their shares.
    """

    rows: pd.DataFrame
    x: np.ndarray
    labels: np.ndarray
    units: np.ndarray
    votes: np.ndarray | None


def select_images(table: pd.DataFrame, arrays: Mapping[str, np.ndarray]) -> AuditedImages:
    """Return the used images of AUDITED_SPLITS.

    Args:
        table: as `read_table` returns it.
        arrays: as `load_features` returns them.

    Raises:
        InputError: the arrays were made of another table.
    """
    used = table[table["excluded"] == ""]
    rows = pd.concat([used[used["split"] == split] for split in AUDITED_SPLITS])
    labels = np.concatenate([arrays[f"y_{split}"] for split in AUDITED_SPLITS])
    if not np.array_equal(labels, rows["label"]):
        raise InputError(
            f"{FEATURES} holds {len(labels):,} images of {' and '.join(AUDITED_SPLITS)}, which are not the "
            f"{len(rows):,} of {TABLE}; expected those of one run: `dvc repro extract_features`"
        )
    x = np.concatenate([arrays[f"x_{split}"] for split in AUDITED_SPLITS])
    votes = parse_votes(rows[VOTES_COLUMN]) if VOTES_COLUMN in rows else None
    return AuditedImages(rows, x, labels, number_units(rows), votes)


def find_undecided(rows: pd.DataFrame) -> np.ndarray:
    """Return on which images no person has decided yet, (images,) booleans."""
    if DECISION not in rows:
        return np.ones(len(rows), bool)
    return (rows[DECISION] == "").to_numpy()
