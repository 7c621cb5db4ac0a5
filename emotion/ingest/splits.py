"""Splits of the images: those of the source, or random ones where the source lacks a split."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from emotion.core.emotion_names import KNOWN_EMOTIONS
from emotion.core.errors import InputError
from emotion.core.params import SplitParams


def assign_splits(images: pd.DataFrame, params: SplitParams) -> pd.Series:
    """Return the split of each image. A split that the source lacks is chosen from its training images.

    Where a source has a validation split and no test split, the validation split becomes the test split, since
    published results refer to it.

    Raises:
        InputError: the source has no training images.
    """
    split = images["split"].fillna("train").astype(object)
    if not (split == "train").any():
        raise InputError(
            f"the source has images for {', '.join(sorted(set(split)))}, but none for train; add training images"
        )
    if not (split == "test").any():
        split = split.replace("val", "test")
    missing = {"test": params.test, "val": params.validation}
    available = int((split == "train").sum())
    for order, (name, share) in enumerate(missing.items()):
        if not (split == name).any():
            rest = images[split == "train"]
            # Both shares refer to all training images of the source, so that 0.2 and 0.1 leave 0.7.
            chosen = choose_split(rest, share * available / max(1, len(rest)), [params.seed, order])
            split[chosen] = name
    return split


def choose_split(images: pd.DataFrame, share: float, seed: Sequence[int]) -> pd.Index:
    """Return the index of randomly chosen images: the `share` (0 to 1) of each emotion, at least one image.

    Images with the same hash are chosen together. The choice depends only on the pixels and `seed`, not on the order
    or the names of the images.
    """
    generator = np.random.default_rng(list(seed))
    groups = images.groupby("hash").agg(emotion=("emotion", "min"), images=("emotion", "size"))
    chosen: list[str] = []
    for emotion in KNOWN_EMOTIONS:
        # groupby has sorted the hashes.
        counts = groups.loc[groups["emotion"] == emotion, "images"]
        counts = counts.iloc[generator.permutation(len(counts))]
        wanted = max(1, round(share * counts.sum()))
        chosen += counts.index[(counts.cumsum() - counts) < wanted].tolist()
    return images.index[images["hash"].isin(chosen)]
