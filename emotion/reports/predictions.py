"""The table of predictions for the test split, metrics/curves/predictions.csv: reading it."""

from pathlib import Path

import pandas as pd

from emotion.core.cells import unguard_table
from emotion.core.errors import InputError

PREDICTION_COLUMNS = ("row", "actual", "predicted", "confidence", "correct")
"""Its columns before one for each emotion; dvc.yaml plots `actual` and `predicted`."""


def read_predictions(path: Path) -> pd.DataFrame:
    """Read the table at `path`: one row per test image, in the order of the arrays.

    Raises:
        InputError: it is missing, or is no such table.
    """
    try:
        table = unguard_table(pd.read_csv(path, encoding="utf-8", na_filter=False))
    except FileNotFoundError:
        raise InputError(f"{path} is missing; run `dvc repro evaluate`") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no table of predictions ({error}); run `dvc repro evaluate`") from None
    if tuple(table.columns[: len(PREDICTION_COLUMNS)]) != PREDICTION_COLUMNS:
        raise InputError(
            f"{path}: got the columns {', '.join(table.columns)}, expected {', '.join(PREDICTION_COLUMNS)} and the "
            "emotions; run `dvc repro evaluate`"
        )
    return table
