"""The counts of groups in metrics/dataset.json, and of the images that would leak without them."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from emotion.core.params import SplitParams
from emotion.data.table import SPLITS
from emotion.ingest.column_values import has_values
from emotion.ingest.splitting.sequence_names import Sequences, find_sequences
from emotion.ingest.splitting.splits import assign_splits


def summarize_groups(images: pd.DataFrame, table: pd.DataFrame, params: SplitParams) -> dict[str, Any]:
    """Return the part `groups` of metrics/dataset.json, or `sequence_names` where there are no groups; else nothing.

    - groups: `total`, `train`, `val` and `test` are the groups of the used images. `images_without` are the used images
      without a group, each of which stands for itself.
    - groups.would_leak: the validation and test images whose group would also be in training, if the images were split
      one by one with the same seed. Where the source brings its splits, they are the source's. `val_share` and
      `test_share` are from 0 to 1. Images that the scheme leaves out do not count.
    - sequence_names: see `find_sequences`.

    Args:
        images: as `collect_batches` returns them.
        table: the table made from them.
        params: the shares and the seed of the splits.
    """
    if not has_values(table, "group"):
        sequences = find_sequences(table["image"], images["emotion"].unique(), images["source_label"])
        return {} if sequences is None else {"sequence_names": sequences._asdict()}
    used = table[table["excluded"] == ""]
    with_group = used[used["group"] != ""]
    counts = with_group.groupby("split")["group"].nunique()
    groups = {
        "total": int(counts.sum()),
        **{split: int(counts.get(split, 0)) for split in SPLITS},
        "images_without": len(used) - len(with_group),
        "would_leak": _count_leaks(images, table, params),
    }
    return {"groups": groups}


def describe_groups(metrics: Mapping[str, Any]) -> list[str]:
    """Return lines for the terminal about the parts of `summarize_groups` in `metrics`: counts, or a warning."""
    if "sequence_names" in metrics:
        return [Sequences(**metrics["sequence_names"]).warn(metrics["source_images"])]
    if "groups" not in metrics:
        return []
    groups = metrics["groups"]
    leaks = groups["would_leak"]
    return [
        f"{groups['total']:,} groups: {groups['train']:,} train, {groups['val']:,} val, {groups['test']:,} test; "
        f"{groups['images_without']:,} images without one",
        f"split without groups, {leaks['test']:,} test images ({leaks['test_share']:.1%}) and {leaks['val']:,} "
        f"validation images ({leaks['val_share']:.1%}) would have their group in training",
    ]


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
