"""The history of a training, read from the files that DVCLive wrote in stage train."""

from pathlib import Path

import pandas as pd

from emotion.core.errors import InputError
from emotion.core.paths import HISTORY

COLUMNS = ("size", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
"""The figures of an epoch; DVCLive writes one file for each."""


def read_history() -> pd.DataFrame:
    """Return the history of the last training.

    Returns:
        One row per epoch: epoch (from 1), size (pixels), loss, accuracy, val_loss, val_accuracy, learning_rate.

    Raises:
        InputError: a file is missing or cannot be read, or the files do not have the same epochs.
    """
    columns = [_read_column(HISTORY / f"{name}.tsv", name) for name in COLUMNS]
    if any(not column.index.equals(columns[0].index) for column in columns):
        epochs = ", ".join(f"{column.name}.tsv {len(column)}" for column in columns)
        raise InputError(f"{HISTORY} has files of different epochs ({epochs}); make them with `dvc repro train`")
    return pd.concat(columns, axis=1).reset_index()


def _read_column(path: Path, name: str) -> pd.Series:
    """Return one figure of each epoch, by the epoch."""
    try:
        table = pd.read_csv(path, sep="\t", encoding="utf-8", index_col="step")
        return table[name].rename_axis("epoch")
    except FileNotFoundError:
        raise InputError(f"{path} is missing; make it with `dvc repro train`") from None
    except (KeyError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); make it with `dvc repro train`") from None
