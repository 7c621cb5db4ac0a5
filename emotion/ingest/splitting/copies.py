"""Images that show the same: detection of copies, and exclusion so that none of them is in two splits."""

import numpy as np
import pandas as pd

from emotion.data.table import COPY, DECISION, DROPPED, GROUP, NEAR_COPY, SCHEME, SPLITS
from emotion.ingest.column_values import has_values
from emotion.ingest.decision_file import DROP


def find_copies(images: pd.DataFrame) -> pd.Series:
    """Return for each image the name of the first image with the same hash; "" for the first one."""
    hashes = pd.factorize(images["hash"])[0]
    first = np.unique(hashes, return_index=True)[1][hashes]
    names = images["image"].take(first).set_axis(images.index)
    return names.where(first != np.arange(len(images)), "")


def find_excluded(table: pd.DataFrame, keep_copies: bool) -> pd.Series:
    """Return the reason why each image is excluded; "" for used images.

    No group is left in two splits and, unless copies are kept, no hash and no near copy. The test split stays complete.
    Validation loses what is in test, and training what is in validation and test. Of several reasons, those of test
    come first, and then copies, near copies and groups in this order.

    Args:
        table: with the columns image, label, split and hash. Where there are groups, near copies and decisions, also
            with the columns group, near_copy_of and decision. A dropped image holds no other one back.
        keep_copies: whether exact and near copies stay.
    """
    excluded = pd.Series("", index=table.index, dtype=object)
    labeled, splits = (table["label"] >= 0).to_numpy(), table["split"].to_numpy(dtype=object)
    dropped = (table[DECISION] == DROP).to_numpy() if DECISION in table else np.zeros(len(table), bool)
    keys = link_keys(table)
    # A later reason replaces an earlier one.
    for split in ("val", "test"):
        earlier = np.isin(splits, SPLITS[: SPLITS.index(split)])
        held = labeled & ~dropped & (splits == split)
        for link in (GROUP,) if keep_copies else (GROUP, NEAR_COPY, COPY):
            if link in keys:
                key = keys[link]
                excluded[earlier & np.isin(key, key[held & (key >= 0)])] = f"{link} of {split}"
    excluded[dropped] = DROPPED
    excluded[~labeled] = SCHEME
    return excluded


def link_keys(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return for each kind of LINKS that occurs a number that linked images share, (rows,); -1 links nothing.

    The numbers of hashes have the order of the hashes.
    """
    keys = {COPY: pd.factorize(table["hash"], sort=True)[0]}
    if has_values(table, "near_copy_of"):
        keys[NEAR_COPY] = _number_near_copies(table["image"], table["near_copy_of"])
    if has_values(table, "group"):
        keys[GROUP] = np.where(table["group"] == "", -1, pd.factorize(table["group"])[0])
    return keys


def _number_near_copies(names: pd.Series, firsts: pd.Series) -> np.ndarray:
    """Return a number that near copies share, (rows,), from the names of the images and of their first near copies.

    Images without a near copy have numbers of their own. Several faces of a photo have one name.
    """
    alone = ((firsts == "") & ~names.isin(firsts)).to_numpy()
    codes = pd.factorize(firsts.where(firsts != "", names))[0]
    return np.where(alone, len(names) + np.arange(len(names)), codes)
