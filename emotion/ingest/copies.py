"""Images with equal pixels: detection of copies, and exclusion so that no image is in two splits."""

import pandas as pd

from emotion.data.table import COPY_OF_TEST, COPY_OF_VAL, SCHEME, SPLITS


def find_copies(images: pd.DataFrame) -> pd.Series:
    """Return for each image the name of the first image with the same hash; "" for the first one."""
    first = images.groupby("hash", sort=False)["image"].transform("first")
    return first.where(first != images["image"], "")


def find_excluded(table: pd.DataFrame, keep_copies: bool) -> pd.Series:
    """Return the reason why each image is excluded; "" for used images.

    Unless copies are kept, no hash is left in two splits. The test split stays complete. Validation loses its copies
    of test images, and training its copies of validation and test images.
    """
    excluded = pd.Series("", index=table.index, dtype=object)
    labeled = table["label"] >= 0
    if not keep_copies:
        for split, reason in (("val", COPY_OF_VAL), ("test", COPY_OF_TEST)):
            hashes = table.loc[labeled & (table["split"] == split), "hash"]
            earlier = table["split"].isin(SPLITS[: SPLITS.index(split)])
            excluded[earlier & table["hash"].isin(hashes)] = reason
    excluded[~labeled] = SCHEME
    return excluded
