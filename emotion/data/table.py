"""The table of all images, data/dataframe.csv: its columns, and a function that reads it."""

from collections import defaultdict
from pathlib import Path

import pandas as pd

from emotion.core.cells import unguard_table
from emotion.core.errors import InputError, check_regular

SPLITS = ("train", "val", "test")

COLUMNS = {
    "image": "str",
    "emotion": "str",
    "label": "int64",
    "split": "str",
    "group": "str",
    "height": "int64",
    "width": "int64",
    "channels": "int64",
    "hash": "str",
    "copy_of": "str",
    "blank": "bool",
    "offset": "int64",
    "excluded": "str",
}
"""The columns of the table and their types; stages/create_dataframe.py describes each."""

VOTES_COLUMN = "votes"
"""The column where labels.targets is `votes`. It holds the votes for each label, in order: `4 0 0 1 3`."""

DECISION = "decision"
"""The column where labels.decisions names a file. It holds the word of a person's decision, or is empty."""

OPTIONAL_COLUMNS = {
    **dict.fromkeys(("near_copy_of", "box"), "str"),
    "faces": "int64",
    **dict.fromkeys(("face", VOTES_COLUMN, DECISION), "str"),
}
"""Columns that only some tables have, and their types. Behind them come the source's own columns, as texts."""

SCHEME, DROPPED = "scheme", "dropped"
COPY, NEAR_COPY, GROUP = "copy", "near copy", "group"
LINKS = (COPY, NEAR_COPY, GROUP)
"""The links between images that may not be in two splits."""

REASONS = (SCHEME, DROPPED, *(f"{link} of {split}" for link in LINKS for split in ("test", "val")))
"""Values of the column `excluded`, which is empty for used images, such as `copy of test`."""


def read_table(path: Path) -> pd.DataFrame:
    """Read the table of images at `path`, as `write_csv` wrote it.

    Raises:
        InputError: the file is missing, cannot be read, or has other columns.
    """
    check_regular(path, "run `dvc repro create_dataframe`")
    try:
        dtypes = defaultdict(lambda: "str", {**COLUMNS, **OPTIONAL_COLUMNS})
        table = unguard_table(pd.read_csv(path, dtype=dtypes, keep_default_na=False))
    except FileNotFoundError:
        raise InputError(f"{path} is missing; run `dvc repro create_dataframe`") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no table of images ({error}); run `dvc repro create_dataframe`") from None
    if list(table.columns[: len(COLUMNS)]) != [*COLUMNS]:
        raise InputError(
            f"{path}: got the columns {', '.join(table.columns)}, expected {', '.join(COLUMNS)} first; "
            "run `dvc repro create_dataframe`"
        )
    return table
