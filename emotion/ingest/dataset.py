"""What a source holds -> the table: which images are copies, which split each is in, which are used."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pandas as pd

from emotion.core.errors import InputError
from emotion.core.labels import KNOWN_EMOTIONS, Scheme
from emotion.core.params import SplitParams
from emotion.data.table import COLUMNS, COPY_OF_TEST, COPY_OF_VAL, REASONS, SCHEME, SPLITS, VOTES
from emotion.ingest.sources.contents import Batch, Content, Entry

NAMED_REJECTIONS = 5


class Collected(NamedTuple):
    """What a source holds: `images` with the columns that reading gives, `rejected` with image and reason."""

    images: pd.DataFrame
    rejected: pd.DataFrame


def collect(batches: Iterable[Batch], pixels: BinaryIO) -> Collected:
    """Read `batches` into a table, and write the pixels of small images one behind the other to `pixels`.

    `split` in the result is what the source says, None where it says nothing; `offset` counts from the place at
    which `pixels` stands.
    """
    rows: list[tuple[Any, ...]] = []
    rejected: list[tuple[str, str]] = []
    end = 0
    for batch in batches:
        for entry, content in batch:
            if content.reason:
                rejected.append((entry.image, content.reason))
                continue
            rows.append(_row(entry, content, end))
            end += len(content.pixels)
        pixels.write(b"".join(content.pixels for _, content in batch))
    names = ["image", "emotion", "split", "height", "width", "channels", "hash", "blank", "offset"]
    return Collected(pd.DataFrame(rows, columns=names), pd.DataFrame(rejected, columns=["image", "reason"]))


def _row(entry: Entry, content: Content, end: int) -> tuple[Any, ...]:
    offset = end if content.pixels else -1
    return *entry, content.height, content.width, content.channels, content.hash, content.blank, offset


def check_rejected(collected: Collected, share: float, source: str) -> None:
    """Raise InputError where no image can be used, or more than `share` of them cannot."""
    rejected = collected.rejected
    total = len(rejected) + len(collected.images)
    if total == 0:
        raise InputError(f"{source} holds no images")
    if len(rejected) <= share * total and len(collected.images):
        return
    first = [f"{row.image}: {row.reason}" for row in rejected.head(NAMED_REJECTIONS).itertuples()]
    raise InputError(
        f"{source}: {len(rejected)} of {total} images cannot be used, more than the share of {share:g} that "
        f"source.rejected_share allows. The first ones:\n  " + "\n  ".join(first)
    )


def build_table(
    images: pd.DataFrame, scheme: Scheme, params: SplitParams, shown: pd.Series | None = None
) -> pd.DataFrame:
    """Return the table of `images`, which `collect` gave: with labels, copies, splits and exclusions.

    Args:
        images: with the source's own emotions. The cut into splits follows these, whatever the scheme, so that the
            splits are the same under every one.
        scheme: which of the emotions have a label, and what their classes are called.
        params: the shares to cut off.
        shown: what each image shows, where that is known better than from the source.
    """
    shown = images["emotion"] if shown is None else shown
    table = images.assign(
        emotion=shown.map(scheme.name),
        label=shown.map(scheme.label),
        split=assign_splits(images, params),
        copy_of=find_copies(images),
    )
    table["excluded"] = find_excluded(table, params.keep_copies)
    return table[list(COLUMNS)].astype(COLUMNS)


def find_copies(images: pd.DataFrame) -> pd.Series:
    """Return for each image the name of the first one with the same hash, or "" where it is the first itself."""
    first = images.groupby("hash", sort=False)["image"].transform("first")
    return first.where(first != images["image"], "")


def assign_splits(images: pd.DataFrame, params: SplitParams) -> pd.Series:
    """Return the split of each image: the source's own, or cut from its training images where it has none.

    A source with a validation and no test split tests on the former, since that is the one to be compared on.

    Raises:
        InputError: the source has no training images.
    """
    split = images["split"].fillna("train").astype(object)
    if not (split == "train").any():
        raise InputError(f"the source has images for {', '.join(sorted(set(split)))}, but none for train")
    if not (split == "test").any():
        split = split.replace("val", "test")
    missing = {"test": params.test, "val": params.validation}
    offered = int((split == "train").sum())
    for order, (name, share) in enumerate(missing.items()):
        if not (split == name).any():
            rest = images[split == "train"]
            # Both shares are of what the source offered for training, so that 0.2 and 0.1 leave 0.7.
            chosen = choose_split(rest, share * offered / max(1, len(rest)), [params.seed, order])
            split[chosen] = name
    return split


def choose_split(images: pd.DataFrame, share: float, seed: Sequence[int]) -> pd.Index:
    """Choose `share` of the images of each emotion, at least one; return their index.

    Images with the same hash are chosen together. The choice depends on the pixels and `seed` alone, not on the
    order or the names of the images.
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


def find_excluded(table: pd.DataFrame, keep_copies: bool) -> pd.Series:
    """Return why each image is not used, "" where it is.

    Unless copies are kept, no hash is left in two splits: the test split stays whole, validation gives up what
    test has, and training what either has.
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


def check_classes(table: pd.DataFrame, scheme: Scheme) -> None:
    """Raise InputError where a split has no usable image of a class of the scheme."""
    counts = _count(table[table["excluded"] == ""], scheme)
    empty = {emotion: [split for split in SPLITS if not counts[split][emotion]] for emotion in scheme.emotions}
    missing = "; ".join(
        f"{emotion} in {'every split' if len(splits) == len(SPLITS) else ' and '.join(splits)}"
        for emotion, splits in empty.items()
        if splits
    )
    if not missing:
        return
    full = [emotion for emotion, splits in empty.items() if not splits]
    raise InputError(
        f"labels.scheme: got {scheme.written}, but there are no images of {missing}. Add some, or leave these "
        f"emotions out: {_possible_scheme(table, scheme, full)} in params.yaml. Images that are excluded as copies "
        f"({(table['excluded'] == COPY_OF_TEST).sum()} of test and {(table['excluded'] == COPY_OF_VAL).sum()} of val) "
        "do not count"
    )


def _possible_scheme(table: pd.DataFrame, scheme: Scheme, full: Sequence[str]) -> str:
    """Return what labels.scheme could be, where of its classes only those in `full` have images in every split."""
    if len(full) > 1:
        return f"`labels.scheme: {scheme.write(full)}`"
    splits = table[table["label"] < 0].groupby("emotion")["split"].nunique()
    left_out = [emotion for emotion in KNOWN_EMOTIONS if splits.get(emotion, 0) == len(SPLITS)]
    found = ", ".join([*full, *left_out]) or "none"
    return f"a list of at least two emotions that every split has ({found}) as labels.scheme"


def _count(table: pd.DataFrame, scheme: Scheme) -> dict[str, dict[str, int]]:
    """Return the numbers of images by split and class."""
    counts = table.groupby(["split", "emotion"]).size().to_dict()
    return {split: {emotion: int(counts.get((split, emotion), 0)) for emotion in scheme.emotions} for split in SPLITS}


def describe(table: pd.DataFrame, rejected: pd.DataFrame, scheme: Scheme) -> dict[str, Any]:
    """Return what metrics/dataset.json holds. All numbers count images, unless their name says `groups`.

    images: those that are used, by split and class of the scheme.
    excluded: those that are not, by reason.
    copies: over all images of the table, used or not. `total`: those that have the same pixels as an earlier one
        (so an image that is there three times counts twice). `within`: the same, within one split alone.
        `across`: `test_in_train` is how many test images have the same pixels as some training image.
    conflicting_labels: groups of copies with more than one emotion, and the images in them. Blank images show
        no emotion, so that their labels cannot conflict.
    blank: images of one flat color.
    sha256: of the images that are used, as `hash_used` has it.
    """
    used = table[table["excluded"] == ""]
    counts = _count(used, scheme)
    reasons = table["excluded"].value_counts()
    return {
        "source_images": len(table) + len(rejected),
        "rejected": len(rejected),
        "blank": int(table["blank"].sum()),
        "images": {
            "total": len(used),
            **{split: {"total": sum(counts[split].values()), **counts[split]} for split in SPLITS},
        },
        "excluded": {
            "total": len(table) - len(used),
            **{reason.replace(" ", "_"): int(reasons.get(reason, 0)) for reason in REASONS},
        },
        "copies": _describe_copies(table),
        "conflicting_labels": _describe_conflicts(table),
        "size": {
            f"{which}_{side}": int(table[side].agg(which)) for side in ("height", "width") for which in ("min", "max")
        },
        "sha256": hash_used(used),
    }


def hash_used(used: pd.DataFrame) -> str:
    """Return a SHA-256 sum over the images of a table, in hex: hash of the pixels, emotion, split, votes if any.

    Images with the same ones have the same sum, whatever their order, their names and the form of their source.
    """
    columns = [name for name in ("hash", "emotion", "split", VOTES) if name in used]
    lines = sorted(" ".join(row) for row in used[columns].itertuples(index=False))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _describe_copies(table: pd.DataFrame) -> dict[str, Any]:
    hashes = {split: table.loc[table["split"] == split, "hash"] for split in SPLITS}
    pairs = (("val", "train"), ("test", "train"), ("test", "val"))
    return {
        "total": int(table["hash"].duplicated().sum()),
        "within": {split: int(hashes[split].duplicated().sum()) for split in SPLITS},
        "across": {f"{one}_in_{other}": int(hashes[one].isin(hashes[other]).sum()) for one, other in pairs},
    }


def _describe_conflicts(table: pd.DataFrame) -> dict[str, int]:
    copies = table[table["hash"].duplicated(keep=False) & ~table["blank"]]
    groups = copies.groupby("hash")["emotion"].agg(["nunique", "size"])
    conflicting = groups[groups["nunique"] > 1]
    return {"groups": len(conflicting), "images": int(conflicting["size"].sum())}
