"""Images that show the same: detection of copies, and exclusion so that none of them is in two splits."""

import numpy as np
import pandas as pd

from emotion.data.table import COPY, GROUP, NEAR_COPY, SCHEME, SPLITS


def find_copies(images: pd.DataFrame) -> pd.Series:
    """Return for each image the name of the first image with the same hash; "" for the first one."""
    hashes = number(images["hash"]).to_numpy()
    first = np.unique(hashes, return_index=True)[1][hashes]
    names = images["image"].take(first).set_axis(images.index)
    return names.where(first != np.arange(len(images)), "")


def number(texts: pd.Series) -> pd.Series:
    """Return a number for each text, equal for equal ones. With numbers pandas is faster, and takes less memory."""
    return pd.Series(pd.factorize(texts)[0], index=texts.index)


def find_excluded(table: pd.DataFrame, keep_copies: bool) -> pd.Series:
    """Return the reason why each image is excluded; "" for used images.

    No group is left in two splits and, unless copies are kept, no hash and no near copy. The test split stays complete.
    Validation loses what is in test, and training what is in validation and test. Of several reasons, those of test
    come first, and then copies, near copies and groups in this order.

    Args:
        table: with the columns image, label, split and hash. Where there are groups and near copies, also with the
            columns group and near_copy_of.
        keep_copies: whether exact and near copies stay.
    """
    excluded = pd.Series("", index=table.index, dtype=object)
    labeled = table["label"] >= 0
    keys = link_keys(table)
    # A later reason replaces an earlier one.
    for split in ("val", "test"):
        earlier = table["split"].isin(SPLITS[: SPLITS.index(split)])
        for link in (GROUP,) if keep_copies else (GROUP, NEAR_COPY, COPY):
            if link in keys:
                key = number(keys[link])
                held = key[labeled & (table["split"] == split) & (keys[link] != "")]
                excluded[earlier & key.isin(held)] = f"{link} of {split}"
    excluded[~labeled] = SCHEME
    return excluded


def link_keys(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Return for each kind of LINKS that occurs a key that linked images share; "" links nothing."""
    keys = {COPY: table["hash"]}
    if has_values(table, "near_copy_of"):
        keys[NEAR_COPY] = table["near_copy_of"].where(table["near_copy_of"] != "", table["image"])
    if has_values(table, "group"):
        keys[GROUP] = table["group"]
    return keys


def has_values(table: pd.DataFrame, column: str) -> bool:
    """Return whether the column is there and some value is not empty."""
    return column in table and bool((table[column] != "").any())
