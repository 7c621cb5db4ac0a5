"""The images that the pipeline would read from a source: their number, splits, labels and groups, and doubts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from emotion.core.errors import InputError, in_one_line
from emotion.core.labels import VOTE_SCHEMES, Scheme
from emotion.core.params import Params
from emotion.data.table import SPLITS
from emotion.faces.whole_image import LARGEST_CROP
from emotion.ingest.label_counts import count_labels
from emotion.ingest.sources.source import Entry, Place, Source
from emotion.ingest.sources.trees import NO_UTF8
from emotion.ingest.splitting.groups import find_groups
from emotion.ingest.splitting.sequence_names import find_sequences

OPENED = 8
"""Images that are opened to see whether they are whole photos."""

NAMED = 5
"""Rejected images that a message names."""


@dataclass
class Plan:
    """The images that would be read.

    Attributes:
        name: the path of the source.
        layout: the name of its layout.
        images: the number of images; None where only reading tells.
        seen: the number of images to which the counts refer: all, or the first rows of a table.
        splits: the number of images by split; images without a split count as `none`.
        labels: as `count_labels` returns them.
        scheme: the classes.
        groups: the number of groups.
        grouped_by: where the groups come from; empty where there are none.
        columns: the further columns.
        skipped: the number of files that would not be read, by their kind.
        faults: what would stop the pipeline.
        warnings: what may be a mistake.
    """

    name: str
    layout: str
    images: int | None
    seen: int
    splits: dict[str, int]
    labels: dict[str, dict[str, Any]]
    scheme: Scheme
    groups: int = 0
    grouped_by: str = ""
    columns: tuple[str, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def make_plan(source: Source, scheme: Scheme, params: Params) -> Plan:
    """Return what would be read from `source`.

    Raises:
        InputError: the source cannot be read.
    """
    entries = source.preview()
    good = [entry for entry in entries if not entry.fault]
    images = _to_images(good, source.columns)
    counts = Counter(entry.split or "none" for entry in good)
    plan = Plan(
        source.name,
        source.layout,
        source.count,
        len(entries),
        {split: counts[split] for split in (*SPLITS, "none") if counts[split]},
        count_labels(images, scheme),
        scheme,
        columns=source.columns,
        skipped=source.skipped,
    )
    _check_rejected(plan, entries, params.source.rejected_share)
    if good:
        _check_classes(plan, scheme)
        _add_groups(plan, images, params.split.group)
    if source.count is not None and good:
        _warn_of_photos(plan, source, good, params.features.faces)
    return plan


def _to_images(entries: Sequence[Entry], columns: Sequence[str]) -> pd.DataFrame:
    """Return entries with the columns of `collect_batches` that need no content."""
    rows = [(entry.image, entry.emotion, entry.split, entry.label, entry.group, *entry.columns) for entry in entries]
    return pd.DataFrame(rows, columns=["image", "emotion", "split", "source_label", "group", *columns])


def _check_rejected(plan: Plan, entries: Sequence[Entry], share: float) -> None:
    # The faults of the folder have the names that are not UTF-8.
    faults = [f"{in_one_line(entry.image)}: {entry.fault}" for entry in entries if entry.fault not in ("", NO_UTF8)]
    if not faults:
        return
    more = f", and {len(faults) - NAMED:,} more" if len(faults) > NAMED else ""
    message = (
        f"{plan.name}: {len(faults):,} of {len(entries):,} images cannot be used: {'; '.join(faults[:NAMED])}{more}"
    )
    # The first rows of a table do not tell the share in all of it.
    if len(faults) == len(entries) or (plan.images is not None and len(faults) > share * len(entries)):
        plan.faults.append(f"{message}. Replace them, or raise source.rejected_share, which is {share:g}")
    else:
        plan.warnings.append(f"warning: {message}")


def _check_classes(plan: Plan, scheme: Scheme) -> None:
    """Add a fault where a class has no image. The labels of FER+ come from its votes instead."""
    if plan.images is None or scheme.written in VOTE_SCHEMES:
        return
    found = {scheme.name(label["emotion"]) for label in plan.labels.values()}
    missing = [name for name in scheme.emotions if name not in found]
    if missing:
        left = [name for name in scheme.emotions if name in found]
        way_out = f"set labels.scheme to {scheme.write(left)}" if len(left) > 1 else "name other classes there"
        plan.faults.append(
            f"labels.scheme: got {scheme.written}, but no image has the label {', '.join(missing)}. Add some, or "
            f"{way_out}"
        )


def _add_groups(plan: Plan, images: pd.DataFrame, choice: Mapping[str, str] | None) -> None:
    try:
        groups = find_groups(images, choice)
    except InputError as error:
        plan.faults.append(str(error))
        return
    plan.groups = int(groups[groups != ""].nunique())
    if plan.groups:
        plan.grouped_by = "the layout" if choice is None else f"split.group: {_write_choice(choice)}"
    elif choice is None and plan.images is not None:
        sequences = find_sequences(images["image"], images["emotion"].unique(), images["source_label"])
        plan.warnings += [] if sequences is None else [sequences.warn(len(images))]


def _write_choice(choice: Mapping[str, str]) -> str:
    r"""Return a split.group as one writes it in params.yaml: `{column: person}`, `{pattern: '(S\d+)_'}`."""
    values = {key: value if key == "column" else f"'{value}'" for key, value in choice.items()}
    return "{" + ", ".join(f"{key}: {value}" for key, value in values.items()) + "}"


def _warn_of_photos(plan: Plan, source: Source, entries: Sequence[Entry], faces: str) -> None:
    """Warn where most of a few images, spread over the source, are photos that would be squeezed as a whole."""
    whole = [entry for entry in entries if entry.box is None]
    if faces != "as_is" or not whole:
        return
    chosen = whole[:: -(-len(whole) // OPENED)]
    try:
        sides = [int(shape.max()) for shape in source.read_again([Place(entry.image) for entry in chosen], _shape_of)]
    except InputError:
        # The stage rejects images that do not decode.
        return
    large = sum(side > LARGEST_CROP for side in sides)
    if large > len(sides) / 2:
        plan.warnings.append(
            f"warning: {large} of {len(sides)} images that were opened have a side of more than {LARGEST_CROP} pixels, "
            "and each is squeezed as a whole. Where they are photos, set features.faces: auto in params.yaml"
        )


def _shape_of(image: np.ndarray, place: Place) -> np.ndarray:
    return np.array(image.shape)
