"""Columns whose values part images into groups: taken from the table, checked and ordered."""

import re
from collections.abc import Iterable, Sequence

import pandas as pd

from emotion.core.errors import InputError
from emotion.data.table import COLUMNS, OPTIONAL_COLUMNS

SETTING = "evaluate.groups"

EMPTY = "(empty)"
"""The group of the images without a value. Nothing guesses a group from an image."""

MOST_VALUES = 20
"""A column with more values is no column of groups, but of numbers or names."""


def select_columns(table: pd.DataFrame, names: Sequence[str], *, setting: str = SETTING) -> dict[str, list[str]]:
    """Return the group of each image in the named columns of `table`, which has a row for each scored image.

    Args:
        table: has a manifest's own columns.
        names: of the columns.
        setting: how the user named them, for messages: a key of params.yaml or an option.

    Raises:
        InputError: a column is not there, or has fewer than two values or more than MOST_VALUES.
    """
    columns = {}
    for name in names:
        if name not in table:
            raise InputError(f"{setting}: the table has no column {name!r}; {_describe_columns(table)}")
        columns[name] = [text or EMPTY for text in table[name].astype(str)]
        _check_values(name, columns[name], setting)
    return columns


def sort_values(values: Iterable[str]) -> list[str]:
    """Return the different values, numbers in them by size (`9`, `10-19`), and EMPTY last."""
    return sorted(set(values), key=lambda value: (value == EMPTY, _natural_key(value), value))


def _natural_key(text: str) -> list[str | int]:
    parts = re.split(r"([0-9]+)", text.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def _check_values(name: str, values: Sequence[str], setting: str) -> None:
    kinds = sort_values(values)
    if len(kinds) < 2:
        only = f"only {kinds[0]!r}" if kinds else "no value"
        raise InputError(
            f"{setting}: the column {name!r} has {only} in the {len(values)} scored images, expected at least two "
            "values to compare; take it out, or name another column"
        )
    if len(kinds) > MOST_VALUES:
        raise InputError(
            f"{setting}: the column {name!r} has {len(kinds)} values in the {len(values)} scored images, such as "
            f"{', '.join(kinds[:3])}; expected at most {MOST_VALUES}. Add a column of ranges to the manifest, such as "
            f"{name}_group with the values 0-17, 18-39 and 40-99, and name that one"
        )


def _describe_columns(table: pd.DataFrame) -> str:
    """Return the columns that a user may have meant, and where further ones come from."""
    own = [str(name) for name in table if name not in {**COLUMNS, **OPTIONAL_COLUMNS}]
    named = f"expected one of {', '.join(own)}" if own else "it has no columns of its own"
    return f"{named}. A manifest beside the images brings its further columns into the table"
