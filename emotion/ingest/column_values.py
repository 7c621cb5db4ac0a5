"""Optional columns of a table: whether one is there and says anything."""

import pandas as pd


def has_values(table: pd.DataFrame, column: str) -> bool:
    """Return whether the column is there and has a value other than "" and 0."""
    return column in table and bool(table[column].astype(bool).any())
