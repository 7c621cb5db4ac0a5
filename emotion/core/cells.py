"""Texts in the cells of CSV files, such as names of files, which spreadsheets must not run as formulas.

A spreadsheet runs a cell that begins with =, +, - or @, whoever wrote it. Such a text gets an apostrophe before it. So
does a text that begins with an apostrophe, so that `unguard` gives every text back as it was. Numbers stay as they are.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

GUARD = "'"
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", GUARD)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def guard(text: str) -> str:
    """Return the cell for `text`."""
    return GUARD + text if text.startswith(RISKY) and not NUMBER.fullmatch(text) else text


def unguard(cell: str) -> str:
    """Return the text of a cell that `guard` gave."""
    return cell.removeprefix(GUARD)


def guard_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return `table` with the names of its columns and all texts as `guard` gives them."""
    import pandas as pd

    guarded = table.rename(columns=guard)
    for name in guarded.columns:
        column = guarded[name]
        if pd.api.types.is_string_dtype(column.dtype):
            risky = column.str.startswith(RISKY).fillna(False).astype("bool")
            if risky.any():
                guarded[name] = column.where(~risky, column[risky].map(guard))
    return guarded


def unguard_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table that was read from a file of `guard_table`, with its texts as they were."""
    import pandas as pd

    texts = table.rename(columns=unguard)
    for name in texts.columns:
        if pd.api.types.is_string_dtype(texts[name].dtype):
            texts[name] = texts[name].str.removeprefix(GUARD)
    return texts
