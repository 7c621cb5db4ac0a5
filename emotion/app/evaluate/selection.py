"""The choice of the images that are scored: their splits, and their emotions by name between model and data."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emotion.app.evaluate.crops import Wanted
from emotion.core.emotion_names import KNOWN_EMOTIONS, name_of
from emotion.core.errors import InputError
from emotion.core.labels import Scheme
from emotion.data.table import SPLITS
from emotion.ingest.sources.content import rejected
from emotion.ingest.sources.source import Content, Entry, Source

ALL = "all"
"""The choice of all splits, also of images without one."""

SPLIT_CHOICES = ("test", "val", "train", ALL)

Counts = Mapping[tuple[str, str | None], int]
"""Number of images by emotion and split, as the source names them."""


@dataclass(frozen=True)
class Selection:
    """The images that are scored, and the numbers of the others.

    Attributes:
        split: one of SPLIT_CHOICES.
        labels: the label of the model by the emotion of the source, for the emotions that are scored.
        wanted: the emotions and splits of the images that are scored.
        images: number of these images, the unreadable ones among them.
        other_splits: number of images in other splits.
        not_in_model: number of images of each emotion that the model lacks, in the chosen splits.
        not_chosen: number of images of each emotion that `--emotions` leaves out, in the chosen splits.
    """

    split: str
    labels: Mapping[str, int]
    wanted: Wanted
    images: int
    other_splits: int
    not_in_model: Mapping[str, int]
    not_chosen: Mapping[str, int]


def count_images(source: Source) -> Counts:
    """Return the number of images by emotion and split. A table of pixels is read for that from its start to its end.

    Raises:
        InputError: the source cannot be read.
    """
    if source.count is not None:
        return Counter((entry.emotion, entry.split) for entry in source.preview() if not entry.fault)
    return Counter(
        (entry.emotion, entry.split)
        for batch in source.batches(_describe_nothing)
        for entry, content in batch
        if not content.reason
    )


def _describe_nothing(image: np.ndarray, entry: Entry) -> Content:
    return rejected("")


def match_classes(emotions: Sequence[str], scheme: Scheme | None) -> Scheme:
    """Return the classes of the model, each with the emotions of the data that it stands for.

    A class stands for the emotion of its name, or for those that `scheme` joins under its name.

    Args:
        emotions: the names of the model's classes, in their order.
        scheme: joins emotions under names; None where the model has no such classes.

    Raises:
        InputError: the scheme has a name that is no class of the model.
    """
    joined = {} if scheme is None else dict(zip(map(name_of, scheme.emotions), scheme.members, strict=True))
    unknown = sorted(joined.keys() - set(map(name_of, emotions)))
    if unknown:
        raise InputError(
            f"--scheme: got the class {', '.join(unknown)}, but the model answers {', '.join(emotions)}; name classes "
            "of the model"
        )
    members = tuple(joined.get(name_of(name), (name_of(name),)) for name in emotions)
    return Scheme(tuple(emotions), members, "--scheme")


def select_images(
    counts: Counts, classes: Scheme, *, only: Sequence[str] | None = None, split: str | None = None
) -> Selection:
    """Return the images to score.

    Args:
        counts: as `count_images` returns them.
        classes: as `match_classes` returns them.
        only: the emotions that are scored, as users write them; None for all that both have.
        split: one of SPLIT_CHOICES; None for the test split, or else the validation split, or else all images.

    Raises:
        InputError: there are no images of that split, model and data have no emotion in common, or one of `only` is no
            emotion.
    """
    split = _choose_split(counts, split)
    inside = {key: count for key, count in counts.items() if split in (ALL, key[1])}
    names = {emotion: classes.name(emotion) for emotion, _ in counts}
    common = {emotion: label for emotion in names if (label := classes.label(emotion)) >= 0}
    chosen = None if only is None else _read_emotions(only, {*KNOWN_EMOTIONS, *classes.emotions, *names.values()})
    labels = {emotion: at for emotion, at in common.items() if chosen is None or name_of(names[emotion]) in chosen}
    wanted = frozenset(key for key in inside if key[0] in labels)
    if not wanted:
        raise _refuse(classes.emotions, {names[emotion] for emotion, _ in inside}, only)
    return Selection(
        split,
        labels,
        wanted,
        sum(inside[key] for key in wanted),
        sum(counts.values()) - sum(inside.values()),
        _sum_by_name(inside, names, names.keys() - common),
        _sum_by_name(inside, names, common.keys() - labels),
    )


def _choose_split(counts: Counts, choice: str | None) -> str:
    there = {split for _, split in counts if split}
    if choice is None:
        return next((split for split in ("test", "val") if split in there), ALL)
    if choice != ALL and choice not in there:
        found = ", ".join(split for split in SPLITS if split in there) or "no splits"
        raise InputError(f"--split: got {choice}, but the data has {found}; choose one of them, or {ALL}")
    return choice


def _read_emotions(only: Sequence[str], known: Iterable[str]) -> set[str]:
    chosen = {name_of(name) for name in only}
    unknown = sorted(chosen - set(map(name_of, known)))
    if unknown:
        raise InputError(
            f"--emotions: got {', '.join(unknown)}, which is no known emotion and none of the model or the data; "
            f"expected some of {', '.join(sorted(set(known)))}"
        )
    return chosen


def _sum_by_name(inside: Counts, names: Mapping[str, str], emotions: Iterable[str]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for emotion in emotions:
        sums[names[emotion]] += sum(count for (one, _), count in inside.items() if one == emotion)
    return {name: count for name, count in sorted(sums.items()) if count}


def _refuse(emotions: Sequence[str], found: Iterable[str], only: Sequence[str] | None) -> InputError:
    limit = f" among --emotions {','.join(only)}" if only else ""
    return InputError(
        f"the model and the data have no emotion in common{limit}. The model answers {', '.join(emotions)}; the images "
        f"show {', '.join(sorted(found)) or 'nothing that can be read'}. Name a model of these emotions with --model, "
        "the meaning of numbers with --numbers, or classes of several emotions with --scheme, such as "
        "'[neutral, {positive: [happy, surprise]}]'"
    )
