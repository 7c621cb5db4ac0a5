"""Groups: the images of a person or sequence, which stay in one split. split.group says how they are found."""

import re
from collections.abc import Mapping

import pandas as pd

from emotion.core.errors import InputError
from emotion.ingest.collect import COLLECTED_COLUMNS
from emotion.ingest.column_values import has_values

ROW_NAME = re.compile(r"row \d+")
"""The name of an image of a table of pixels."""

WHOLE = re.compile(r"^(\d+)\.0+$")
"""A whole number as a table with missing values writes it."""


def find_groups(images: pd.DataFrame, choice: Mapping[str, str] | None) -> pd.Series:
    """Return the group of each image; "" for an image without one, which stands for itself.

    Args:
        images: as `collect_batches` returns them.
        choice: split.group: None for the groups of the layout, `{column: NAME}` for a further column of the source, or
            `{pattern: REGEX}`, which is searched in the image's path. All groups in parentheses are joined.

    Raises:
        InputError: the column is missing, the pattern fits no path, or the images have no paths.
    """
    if choice is None:
        return _plain(images["group"]) if has_values(images, "group") else pd.Series("", images.index, dtype="str")
    if "column" in choice:
        return _plain(_take_column(images, choice["column"]))
    return _search_pattern(images, choice["pattern"])


def _plain(groups: pd.Series) -> pd.Series:
    """Return the groups with whole numbers in one form, since tables of one data set have both `3` and `3.0`."""
    return groups.str.replace(WHOLE, r"\1", regex=True)


def _take_column(images: pd.DataFrame, column: str) -> pd.Series:
    own = [str(name) for name in images if name not in COLLECTED_COLUMNS]
    if (images["group"] != "").any():
        own.append("group")
    if column not in own:
        raise InputError(
            f"split.group: got the column {column!r}, but the further columns of the source are "
            f"{', '.join(own) or 'none'}; name one of them, or use {{pattern: '…'}} or null"
        )
    return images[column].fillna("").astype("str").str.strip()


def _search_pattern(images: pd.DataFrame, pattern: str) -> pd.Series:
    names = images["image"].tolist()
    if all(map(ROW_NAME.fullmatch, names)):
        raise InputError(
            f"split.group: got the pattern {pattern!r}, but the images of a table have no path, only names such as "
            f"{names[0]!r}. Use null, or {{column: NAME}} with a column of the table"
        )
    search = re.compile(pattern).search
    groups = [_join_groups(search(name)) for name in names]
    if not any(groups):
        raise InputError(
            f"split.group: got the pattern {pattern!r}, which finds nothing in the {len(names)} paths, such as "
            f"{names[0]!r}; expected a regular expression with the person or sequence in parentheses"
        )
    return pd.Series(groups, index=images.index, dtype="str")


def _join_groups(match: re.Match[str] | None) -> str:
    """Return what the parentheses of a pattern found, with a slash between; "" where all are empty."""
    found = match.groups(default="") if match else ()
    return "/".join(found) if any(found) else ""
