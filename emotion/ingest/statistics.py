"""The counts in metrics/dataset.json, and the hash of the used images."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from emotion.core.labels import Scheme
from emotion.data.table import COPY, DECISION, DROPPED, NEAR_COPY, REASONS, SCHEME, SPLITS, VOTES_COLUMN
from emotion.ingest.collect import select_without_face
from emotion.ingest.splitting.copies import link_keys

COUNTED = {"copies": COPY, "near_copies": NEAR_COPY}
"""The links between images that are counted by split, by their keys in the file."""

HASHED = ("hash", "emotion", "split", "face", VOTES_COLUMN)
"""Columns whose values `hash_used` counts."""


def summarize(table: pd.DataFrame, rejected: pd.DataFrame, scheme: Scheme) -> dict[str, Any]:
    """Return the content of metrics/dataset.json. All numbers except `groups` count images.

    - rejected: images that cannot be read or decided on.
    - without_face: images in which a face was searched and none found. The table does not have them either.
    - several_faces: images of the table in which more than one face was found. One of them is used.
    - images: the used images, by split and class of the scheme.
    - excluded: the excluded images, by reason.
    - copies: copies among all images of the table. `total` counts images with the same pixels as an earlier one; an
      image that occurs three times counts twice. `within` counts the same within each split. In `across`,
      `test_in_train` is the number of test images with the same pixels as some training image.
    - near_copies: the same of near copies, with copies among them; only where there are some. Blank images do not
      count.
    - conflicting_labels: groups of copies with more than one emotion, and the images in them. Blank images do not
      count, since they show no emotion.
    - blank: images of one flat color.
    - sha256: `hash_used` of the used images.
    """
    keys = {link: pd.Series(key, table.index) for link, key in link_keys(table).items()}
    used = table.loc[table["excluded"] == "", [name for name in HASHED if name in table]]
    without_face = len(select_without_face(rejected))
    counts = count_images(used, scheme)
    reasons = table["excluded"].value_counts()
    kept = (SCHEME, DROPPED) if DECISION in table else (SCHEME,)
    return {
        "source_images": len(table) + len(rejected),
        "rejected": len(rejected) - without_face,
        "without_face": without_face,
        "several_faces": int((table["faces"] > 1).sum()) if "faces" in table else 0,
        "blank": int(table["blank"].sum()),
        "images": {
            "total": len(used),
            **{split: {"total": sum(counts[split].values()), **counts[split]} for split in SPLITS},
        },
        "excluded": {
            "total": len(table) - len(used),
            **{
                reason.replace(" ", "_"): int(reasons.get(reason, 0))
                for reason in REASONS
                if reason in kept or reason.partition(" of ")[0] in keys
            },
        },
        **{
            name: _count_copies(table["split"], pd.Series(keys[link], table.index))
            for name, link in COUNTED.items()
            if link in keys
        },
        "conflicting_labels": _count_conflicts(table, pd.Series(keys[COPY], table.index)),
        "size": {
            f"{which}_{side}": int(table[side].agg(which)) for side in ("height", "width") for which in ("min", "max")
        },
        "sha256": hash_used(used),
    }


def describe_skipped(skipped: Mapping[str, int]) -> str:
    """Return the numbers of skipped files for messages, such as `2 system files, 1 label file`."""
    return ", ".join(f"{count:,} {_singular(kind) if count == 1 else kind}" for kind, count in skipped.items())


def _singular(kind: str) -> str:
    """Return the name of a kind for one file: `image of other names`, `pipe or device` for `pipes and devices`."""
    return re.sub(r"s\b", "", kind.replace(" and ", " or "), count=2 if " and " in kind else 1)


def describe_losses(metrics: Mapping[str, Any]) -> str:
    """Return how many images are not used, by the content of metrics/dataset.json: `3 excluded, 2 rejected`."""
    without_face = metrics["without_face"]
    faces = f", of which {without_face:,} show no face" if without_face else ""
    return f"{metrics['excluded']['total']:,} excluded, {metrics['rejected'] + without_face:,} rejected{faces}"


def count_images(table: pd.DataFrame, scheme: Scheme) -> dict[str, dict[str, int]]:
    """Return the number of images by split and class."""
    counts = table.groupby(["split", "emotion"]).size().to_dict()
    return {split: {emotion: int(counts.get((split, emotion), 0)) for emotion in scheme.emotions} for split in SPLITS}


def hash_used(used: pd.DataFrame) -> str:
    """Return the SHA-256 sum of the used images, in hex, over hashes of pixels, emotions, splits and votes.

    It does not depend on the order or names of the images, nor on the layout of their source.
    """
    columns = [pa.array(used[name], pa.string()) for name in HASHED if name in used]
    # Columns of pyarrow, since the lines of two million images as texts would take 300 MB.
    lines = pc.binary_join_element_wise(*columns, " ")
    digest = hashlib.sha256()
    for start, order in enumerate(np.array_split(pc.sort_indices(lines), len(lines) // 4096 + 1)):
        text = "\n".join(lines.take(pa.array(order)).to_pylist())
        digest.update(f"\n{text}".encode() if start else text.encode())
    return digest.hexdigest()


def _count_copies(splits: pd.Series, keys: pd.Series) -> dict[str, Any]:
    hashes = {split: keys[splits == split] for split in SPLITS}
    pairs = (("val", "train"), ("test", "train"), ("test", "val"))
    return {
        "total": int(keys.duplicated().sum()),
        "within": {split: int(hashes[split].duplicated().sum()) for split in SPLITS},
        "across": {f"{one}_in_{other}": int(hashes[one].isin(hashes[other]).sum()) for one, other in pairs},
    }


def _count_conflicts(table: pd.DataFrame, keys: pd.Series) -> dict[str, int]:
    copies = keys.duplicated(keep=False) & ~table["blank"]
    groups = table.loc[copies, "emotion"].groupby(keys[copies]).agg(["nunique", "size"])
    conflicting = groups[groups["nunique"] > 1]
    return {"groups": len(conflicting), "images": int(conflicting["size"].sum())}
