"""Images that show the same: detection of copies, and exclusion so that none of them is in two splits."""

import pandas as pd

from emotion.data.table import (
    COPY_OF_TEST,
    COPY_OF_VAL,
    GROUP_OF_TEST,
    GROUP_OF_VAL,
    NEAR_COPY_OF_TEST,
    NEAR_COPY_OF_VAL,
    SCHEME,
    SPLITS,
)


def find_copies(images: pd.DataFrame) -> pd.Series:
    """Return for each image the name of the first image with the same hash; "" for the first one."""
    first = images.groupby("hash", sort=False)["image"].transform("first")
    return first.where(first != images["image"], "")


def near_keys(table: pd.DataFrame) -> pd.Series:
    """Return the name of the first near copy of each image, which is its own name for an image without one."""
    return table["near_copy_of"].where(table["near_copy_of"] != "", table["image"])


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
    keys = {}
    if "group" in table and (table["group"] != "").any():
        keys["group"] = table["group"]
    if not keep_copies and "near_copy_of" in table and (table["near_copy_of"] != "").any():
        keys["near copy"] = near_keys(table)
    if not keep_copies:
        keys["copy"] = table["hash"]
    for split, reasons in (
        ("val", {"group": GROUP_OF_VAL, "near copy": NEAR_COPY_OF_VAL, "copy": COPY_OF_VAL}),
        ("test", {"group": GROUP_OF_TEST, "near copy": NEAR_COPY_OF_TEST, "copy": COPY_OF_TEST}),
    ):
        earlier = table["split"].isin(SPLITS[: SPLITS.index(split)])
        for kind, key in keys.items():
            held = key[labeled & (table["split"] == split) & (key != "")]
            excluded[earlier & key.isin(held)] = reasons[kind]
    excluded[~labeled] = SCHEME
    return excluded
