"""Building of the table of images, data/dataframe.csv, from labels, splits, copies and exclusions."""

from collections.abc import Sequence

import pandas as pd

from emotion.core.emotion_names import KNOWN_EMOTIONS
from emotion.core.errors import InputError
from emotion.core.labels import Scheme
from emotion.core.params import SplitParams
from emotion.data.table import COLUMNS, COPY_OF_TEST, COPY_OF_VAL, OPTIONAL_COLUMNS, SPLITS
from emotion.ingest.collect import COLLECTED_COLUMNS
from emotion.ingest.copies import find_copies, find_excluded
from emotion.ingest.splits import assign_splits
from emotion.ingest.statistics import count_images


def build_table(
    images: pd.DataFrame, scheme: Scheme, params: SplitParams, emotions: pd.Series | None = None
) -> pd.DataFrame:
    """Return the table of `images`, with labels, copies, splits and exclusions.

    Args:
        images: as `collect_batches` returns them, with the emotions of the source. Splits depend on these emotions, so
            they are the same under every scheme.
        scheme: the classes and their labels.
        params: the shares of the splits.
        emotions: the emotion of each image where votes replace those of the source.
    """
    emotions = images["emotion"] if emotions is None else emotions
    table = images.assign(
        emotion=emotions.map(scheme.name),
        label=emotions.map(scheme.label),
        split=assign_splits(images, params),
        copy_of=find_copies(images),
        group=images.get("group", ""),
    )
    table["excluded"] = find_excluded(table, params.keep_copies)
    types = COLUMNS | {name: kind for name, kind in OPTIONAL_COLUMNS.items() if _is_used(table, name)}
    own = [name for name in table if name not in (*COLLECTED_COLUMNS, *types)]
    return table[[*types, *own]].astype({**types, **dict.fromkeys(own, "str")})


def _is_used(table: pd.DataFrame, column: str) -> bool:
    """Return whether a column is there and has a value other than "" and 0."""
    return column in table and bool((table[column].astype(bool)).any())


def check_classes(table: pd.DataFrame, scheme: Scheme) -> None:
    """Raise InputError where a split has no usable image of a class of the scheme."""
    counts = count_images(table[table["excluded"] == ""], scheme)
    empty = {emotion: [split for split in SPLITS if not counts[split][emotion]] for emotion in scheme.emotions}
    missing = "; ".join(
        f"{emotion} in {'every split' if len(splits) == len(SPLITS) else ' and '.join(splits)}"
        for emotion, splits in empty.items()
        if splits
    )
    if not missing:
        return
    complete = [emotion for emotion, splits in empty.items() if not splits]
    raise InputError(
        f"labels.scheme: got {scheme.written}, but there are no images of {missing}. Add some, or leave these "
        f"emotions out: {_suggest_scheme(table, scheme, complete)} in params.yaml. Excluded copies do not count "
        f"({(table['excluded'] == COPY_OF_TEST).sum()} of test and {(table['excluded'] == COPY_OF_VAL).sum()} of val)"
    )


def _suggest_scheme(table: pd.DataFrame, scheme: Scheme, complete: Sequence[str]) -> str:
    """Return a labels.scheme without the classes that lack images. Those in `complete` have some in every split."""
    if len(complete) > 1:
        return f"`labels.scheme: {scheme.write(complete)}`"
    splits = table[table["label"] < 0].groupby("emotion")["split"].nunique()
    left_out = [emotion for emotion in KNOWN_EMOTIONS if splits.get(emotion, 0) == len(SPLITS)]
    usable = ", ".join([*complete, *left_out]) or "none"
    return f"a list of at least two emotions that every split has ({usable}) as labels.scheme"
