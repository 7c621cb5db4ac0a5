"""The counts of groups in metrics/dataset.json, and of the images that would leak without them."""

from typing import Any

import pandas as pd

from emotion.core.params import SplitParams
from emotion.data.table import SPLITS
from emotion.ingest.copies import has_values
from emotion.ingest.splits import assign_splits



def summarize_groups(images: pd.DataFrame, table: pd.DataFrame, params: SplitParams) -> dict[str, Any]:
    """Return the counts of groups; nothing where there are none.

    - total, train, val, test: the groups of the used images, and those by split.
    - images_without: the used images without a group. Each stands for itself.
    - would_leak: the validation and test images whose group would also be in training, if the images were split one by
      one with the same seed. Where the source brings its splits, they are the source's. `val` and `test` are numbers,
      `val_share` and `test_share` are from 0 to 1. Images that the scheme leaves out do not count.

    Args:
        images: as `collect_batches` returns them.
        table: the table made from them.
        params: the shares and the seed of the splits.
    """
    if not has_values(table, "group"):
        return {}
    used = table[table["excluded"] == ""]
    with_group = used[used["group"] != ""]
    counts = with_group.groupby("split")["group"].nunique()
    return {
        "total": int(counts.sum()),
        **{split: int(counts.get(split, 0)) for split in SPLITS},
        "images_without": len(used) - len(with_group),
        "would_leak": _count_leaks(images, table, params),
    }


def _count_leaks(images: pd.DataFrame, table: pd.DataFrame, params: SplitParams) -> dict[str, int | float]:
    alone = images[["emotion", "split", "hash"]]
    labeled = table["label"] >= 0
    groups, split = table["group"][labeled], assign_splits(alone, params)[labeled]
    in_train = groups[(split == "train") & (groups != "")].unique()
    leaks: dict[str, int | float] = {}
    for name in ("val", "test"):
        held = groups[split == name].isin(in_train)
        leaks |= {name: int(held.sum()), f"{name}_share": round(float(held.mean()), 4) if len(held) else 0.0}
    return leaks
