"""Building of the table of images, data/dataframe.csv, from labels, splits, copies and exclusions."""

from collections.abc import Sequence

import pandas as pd

from emotion.core.emotion_names import KNOWN_EMOTIONS
from emotion.core.errors import InputError
from emotion.core.labels import Scheme
from emotion.core.params import SplitParams
from emotion.data.table import COLUMNS, DECISION, OPTIONAL_COLUMNS, REASONS, SPLITS
from emotion.ingest.collect import COLLECTED_COLUMNS
from emotion.ingest.column_values import has_values
from emotion.ingest.decided_labels import DecidedLabels
from emotion.ingest.splitting.copies import find_copies, find_excluded, link_keys
from emotion.ingest.splitting.groups import find_groups
from emotion.ingest.splitting.near_copies import find_near_copies
from emotion.ingest.splitting.splits import NAMED_GROUPS, assign_splits
from emotion.ingest.statistics import count_images


def build_table(
    images: pd.DataFrame, scheme: Scheme, params: SplitParams, decided: DecidedLabels | None = None
) -> pd.DataFrame:
    """Return the table of `images`, with labels, copies, splits and exclusions.

    Args:
        images: as `collect_batches` returns them, with the emotions of the source. Splits depend on these emotions, so
            they are the same under every scheme.
        scheme: the classes and their labels.
        params: the shares of the splits, and what stays in one split.
        decided: the emotion of each image where votes or decisions replace those of the source, and the decisions.

    Raises:
        InputError: the groups cannot be found, or a split cannot be chosen.
    """
    emotions = images["emotion"] if decided is None else decided.emotions
    kinds = emotions.unique()
    near = "" if params.near_copies is None else find_near_copies(images, params.near_copies)
    images = images.assign(group=find_groups(images, params.group), near_copy_of=near)
    table = images.assign(
        emotion=emotions.map({emotion: scheme.name(emotion) for emotion in kinds}),
        label=emotions.map({emotion: scheme.label(emotion) for emotion in kinds}),
        split=assign_splits(images, params),
        copy_of=find_copies(images),
        **{DECISION: "" if decided is None else decided.decisions},
    )
    table["excluded"] = find_excluded(table, params.keep_copies)
    types = COLUMNS | {name: kind for name, kind in OPTIONAL_COLUMNS.items() if has_values(table, name)}
    own = [name for name in table if name not in (*COLLECTED_COLUMNS, *COLUMNS, *OPTIONAL_COLUMNS)]
    return table[[*types, *own]].astype({**types, **dict.fromkeys(own, "str")})


def check_classes(table: pd.DataFrame, scheme: Scheme) -> None:
    """Raise InputError where a split has no usable image of a class of the scheme."""
    counts = count_images(table.loc[table["excluded"] == "", ["split", "emotion"]], scheme)
    empty = {emotion: [split for split in SPLITS if not counts[split][emotion]] for emotion in scheme.emotions}
    if not any(empty.values()):
        return
    lacking: dict[str, list[str]] = {}
    for emotion, splits in empty.items():
        place = "any split" if len(splits) == len(SPLITS) else " and ".join(splits)
        lacking.setdefault(place, []).append(emotion)
    missing = "; ".join(f"{', '.join(names)} in {place}" for place, names in lacking.items() if place)
    complete = [emotion for emotion, splits in empty.items() if not splits]
    raise InputError(
        f"labels.scheme: got {scheme.written}, but there are no images of {missing}. Add some, or leave these "
        f"emotions out: {_suggest_scheme(table, scheme, complete)} in params.yaml. Excluded images do not count "
        f"({_count_excluded(table)}){_explain_groups(table)}"
    )


def _explain_groups(table: pd.DataFrame) -> str:
    """Return what groups do to splits, where there are some, with the way to choose others."""
    if not has_values(table, "group"):
        return ""
    groups = table["group"][table["group"] != ""].unique()
    return (
        f". Images of one group stay in one split; there are {len(groups)} groups, such as "
        f"{', '.join(groups[:NAMED_GROUPS])}. split.group chooses others, and {{pattern: '(.+)'}} parts all images"
    )


def _count_excluded(table: pd.DataFrame) -> str:
    """Return the numbers of images that are excluded for another image, by reason: `2 copy of test, 0 copy of val`."""
    counts = table["excluded"].value_counts()
    kinds = link_keys(table)
    reasons = [reason for reason in REASONS if reason.partition(" of ")[0] in kinds]
    return ", ".join(f"{counts.get(reason, 0)} {reason}" for reason in reasons)


def _suggest_scheme(table: pd.DataFrame, scheme: Scheme, complete: Sequence[str]) -> str:
    """Return a labels.scheme without the classes that lack images. Those in `complete` have some in every split."""
    if len(complete) > 1:
        return f"`labels.scheme: {scheme.write(complete)}`"
    splits = table[table["label"] < 0].groupby("emotion")["split"].nunique()
    left_out = [emotion for emotion in KNOWN_EMOTIONS if splits.get(emotion, 0) == len(SPLITS)]
    usable = ", ".join([*complete, *left_out]) or "none"
    return f"a list of at least two emotions that every split has ({usable}) as labels.scheme"
