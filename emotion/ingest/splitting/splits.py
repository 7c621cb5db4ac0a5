"""Splits of the images: those of the source, or random ones where the source lacks a split."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from emotion.core.emotion_names import KNOWN_EMOTIONS
from emotion.core.errors import InputError
from emotion.core.params import SplitParams
from emotion.ingest.column_values import has_values
from emotion.ingest.splitting.group_splits import choose_units, number_units

NAMED_GROUPS = 5
"""Number of groups that an error names."""


def assign_splits(images: pd.DataFrame, params: SplitParams) -> pd.Series:
    """Return the split of each image. A split that the source lacks is chosen from its training images.

    Where a source has a validation split and no test split, the validation split becomes the test split, since
    published results refer to it. Where there are groups or near copies, those of one unit are chosen together.

    Args:
        images: with the columns emotion, split and hash. The columns group and near_copy_of, where they are there, say
            which images stay together.
        params: the shares and the seed.

    Raises:
        InputError: the source has no training images, or too few groups.
    """
    split = images["split"].fillna("train").astype(object)
    if not (split == "train").any():
        raise InputError(
            f"the source has images for {', '.join(sorted(set(split)))}, but none for train; add training images"
        )
    if not (split == "test").any():
        split = split.replace("val", "test")
    shares = {"test": params.test, "val": params.validation}
    missing = [name for name in shares if not (split == name).any()]
    if not missing:
        return split
    in_train = images[split == "train"]
    units = None
    if any(has_values(images, column) for column in ("group", "near_copy_of")):
        units = pd.Series(number_units(images), index=images.index)
        # What belongs to an image in another split is left out of training later, so it is not chosen.
        free = in_train[~units[in_train.index].isin(units[split != "train"])]
        _check_enough(in_train, free, units, missing)
        in_train = free
    for order, (name, share) in enumerate(shares.items()):
        if name in missing:
            rest = in_train[split[in_train.index] == "train"]
            # Both shares refer to all training images of the source, so that 0.2 and 0.1 leave 0.7.
            of_rest, seed = share * len(in_train) / max(1, len(rest)), [params.seed, order]
            if units is None:
                chosen = choose_split(rest, of_rest, seed)
            else:
                others = len(missing) - missing.index(name)
                chosen = rest.index[choose_units(units[rest.index].to_numpy(), rest["emotion"], of_rest, seed, others)]
            split[chosen] = name
    return split


def _check_enough(in_train: pd.DataFrame, free: pd.DataFrame, units: pd.Series, missing: Sequence[str]) -> None:
    """Raise InputError where the `free` training images, of no unit in another split, have fewer units than splits."""
    found, needed = units[free.index].nunique(), 1 + len(missing)
    if found >= needed:
        return
    names = (free if found else in_train)["group"].drop_duplicates()
    named = ", ".join(names[names != ""].head(NAMED_GROUPS)) or "all near copies of each other"
    raise InputError(
        f"split.group: got {found} group{'' if found == 1 else 's'} of training images outside of other splits "
        f"({'' if found else 'all of these are inside: '}{named}), expected at least {needed}: one for each of "
        f"{', '.join(['train', *missing])}. Add images of other people or sequences, or choose smaller groups with "
        "split.group: {column: …} or {pattern: '…'}. Where these are no people, {pattern: '(.+)'} parts all images"
    )


def choose_split(images: pd.DataFrame, share: float, seed: Sequence[int]) -> pd.Index:
    """Return the index of randomly chosen images: the `share` (0 to 1) of each emotion, at least one image.

    Images with the same hash are chosen together. The choice depends only on the pixels and `seed`, not on the order
    or the names of the images.
    """
    generator = np.random.default_rng(list(seed))
    hashes = pd.factorize(images["hash"], sort=True)[0]
    codes, emotions = pd.factorize(images["emotion"], sort=True)
    sizes = np.bincount(hashes)
    # Copies with several emotions count for the first of these.
    emotion_of = np.full(len(sizes), len(emotions))
    np.minimum.at(emotion_of, hashes, codes)
    chosen = np.zeros(len(sizes), bool)
    own = sorted(set(emotions) - set(KNOWN_EMOTIONS))
    for emotion in [*(name for name in KNOWN_EMOTIONS if name in emotions), *own]:
        members = np.flatnonzero(emotion_of == emotions.get_loc(emotion))
        members = members[generator.permutation(len(members))]
        counts = sizes[members]
        wanted = max(1, round(share * counts.sum()))
        chosen[members[counts.cumsum() - counts < wanted]] = True
    return images.index[chosen[hashes]]
