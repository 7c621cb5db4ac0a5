"""File names that look like sequences or persons, such as `S010_004_00000017.png` and `anna_01.jpg`."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

from emotion.core.emotion_names import FILLERS, KNOWN_EMOTIONS, SYNONYMS
from emotion.ingest.sources.source import SPLIT_NAMES

PATTERN = r"([^/]*[^/\d])\d+[^/\d]*$"
"""The split.group by which a person or sequence is what stands before the last number of a file name."""

NEUTRAL = FILLERS | SYNONYMS.keys() | SPLIT_NAMES.keys() | {*KNOWN_EMOTIONS, "public", "private", "aligned", "frame"}
"""Words before a number that name no person and no sequence."""

FEWEST_PREFIXES, FEWEST_SHARE = 3, 1 / 3
"""The number of prefixes, and the share of the images that have one in common with another image, of a warning."""


class Sequences(NamedTuple):
    """The images whose names share what stands before their last number, and an example."""

    prefixes: int
    images: int
    example: str

    def warn(self, total: int) -> str:
        """Return a warning about these images, of `total` ones."""
        return (
            f"warning: the file names look like sequences or persons: {self.images:,} of {total:,} images share what "
            f"stands before the last number with others, such as {self.example}. Images of one person may be in "
            "training and in test, so that the figures are too good. To keep them together, set split.group in "
            f"params.yaml: `group: {{pattern: '{PATTERN}'}}`. Where a name has a person and a sequence, choose the "
            r"part that names the person, such as '(S\d+)_'"
        )


def find_sequences(names: Iterable[str], own: Iterable[str] = (), labels: Iterable[str] = ()) -> Sequences | None:
    """Return the images whose names look like those of sequences or persons; None where they do not.

    The prefix of an image is what stands before the last number of its file name. Names look like sequences where at
    least a third of the images share a prefix with others, and there are at least three such prefixes. A prefix that
    only names a split, an emotion or the label of its image does not count.

    Args:
        names: the paths of the images.
        own: the names of further emotions.
        labels: the label of each image in the source, such as the `0` of `0_17.jpg`; none where they are unknown.
    """
    paths = list(names)
    search = re.compile(PATTERN).search
    found = [match[1] if (match := search(path)) else "" for path in paths]
    labels = list(labels) or [""] * len(paths)
    found = ["" if prefix.strip("_-. ") == label else prefix for prefix, label in zip(found, labels, strict=True)]
    neutral = NEUTRAL | set(own)
    counts = {
        prefix: count for prefix, count in Counter(found).items() if count > 1 and not _is_neutral(prefix, neutral)
    }
    images = sum(counts.values())
    if len(counts) < FEWEST_PREFIXES or images < FEWEST_SHARE * len(paths):
        return None
    example = next(path for path, prefix in zip(paths, found, strict=True) if prefix in counts)
    return Sequences(len(counts), images, PurePosixPath(example).name)


def _is_neutral(prefix: str, neutral: Iterable[str]) -> bool:
    """Return whether a prefix has no number, and only words that name splits, emotions or images."""
    words = re.findall(r"[^\W\d_]+", prefix.lower())
    return not re.search(r"\d", prefix) and all(word in neutral for word in words)
