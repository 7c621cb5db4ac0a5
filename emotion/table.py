"""The table of all pictures, data/dataframe.csv: its columns, and reading it."""

from pathlib import Path

import pandas as pd

from emotion.errors import InputError

SPLITS = ("train", "val", "test")

COLUMNS = {
    "picture": "str",
    "emotion": "str",
    "label": "int64",
    "split": "str",
    "height": "int64",
    "width": "int64",
    "channels": "int64",
    "hash": "str",
    "copy_of": "str",
    "blank": "bool",
    "offset": "int64",
    "excluded": "str",
}
"""The columns of the table and their types; stages/create_dataframe.py says what each holds."""

SCHEME = "scheme"
COPY_OF_TEST = "copy of test"
COPY_OF_VAL = "copy of val"
REASONS = (SCHEME, COPY_OF_TEST, COPY_OF_VAL)
"""Why a picture of the table is not used."""


def read_table(path: Path) -> pd.DataFrame:
    """Read the table of pictures at `path`.

    Raises:
        InputError: it is missing, or is no such table.
    """
    try:
        table = pd.read_csv(path, dtype=COLUMNS, keep_default_na=False, encoding_errors="surrogateescape")
    except FileNotFoundError:
        raise InputError(f"{path} is missing; run `dvc repro create_dataframe`") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no table of pictures ({error}); run `dvc repro create_dataframe`") from None
    if list(table.columns) != list(COLUMNS):
        raise InputError(
            f"{path}: got the columns {', '.join(table.columns)}, expected {', '.join(COLUMNS)}; "
            "run `dvc repro create_dataframe`"
        )
    return table
