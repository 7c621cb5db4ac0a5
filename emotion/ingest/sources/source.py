"""The interface of all sources: an entry per image (name, emotion, split and more), and its content."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np

from emotion.core.emotion_names import FILLERS
from emotion.faces.detection import Box, Detection

BATCH = 256
"""Number of images that a process reads before it returns them, unless describing one takes long."""

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "publictest": "val",
    "test": "test",
    "testing": "test",
    "privatetest": "test",
}
"""Splits by their names in sources, in lower case."""

SPLIT_FILLERS = FILLERS | {
    *("set", "data", "dataset", "split", "subset", "fold", "folder", "samples", "fer"),
    *("label", "labels", "list", "metadata", "annotations"),
}
"""Words beside the name of a split, as in `train_set`, `FER2013Test` or `train_labels.csv`."""


@lru_cache(maxsize=4096)
def split_of(name: str) -> str | None:
    """Return the split that the name of a folder or a value of Usage means, train, val or test; None for another.

    Case, numbers, signs and SPLIT_FILLERS are ignored: `Training`, `val_set`, `testset`, `FER2013Valid`.
    """
    joined = "".join(split_words(name))
    return SPLIT_NAMES.get(joined) or SPLIT_NAMES.get(re.sub("(set|data)$", "", joined))


def split_words(name: str) -> list[str]:
    """Return the words of a name in lower case, without SPLIT_FILLERS."""
    words = re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    return [word for word in map(str.lower, words) if word not in SPLIT_FILLERS]


class Entry(NamedTuple):
    """An image of a source before it is read."""

    image: str
    """The name within the source, such as `row 17` or `train/happy/Training_1.jpg`."""
    emotion: str
    """The emotion as `LabelReader.read` returns it."""
    split: str | None
    """The source's split, train, val or test; None where it has none."""
    label: str = ""
    """The label as the source writes it, such as `3` or `Happy_faces`."""
    group: str = ""
    """The person or sequence, which stays in one split; empty where the source has none."""
    box: Box | None = None
    """The part of the image file that shows the face; None for the whole."""
    columns: tuple[str, ...] = ()
    """The values of the source's further columns, in the order of `Source.columns`."""
    fault: str = ""
    """The reason why the image is rejected without a look at it; empty for an image that is read."""


class Content(NamedTuple):
    """The content of an image. Where `reason` is not empty, the image is rejected and the other values are empty."""

    height: int
    width: int
    channels: int
    hash: str
    blank: bool
    pixels: bytes
    """The uint8 pixels of a small image, row by row; empty for one that is read again when needed."""
    reason: str = ""
    perceptual_hash: str = ""
    """The 64 bits that near copies nearly share, in hex; empty where near copies are not looked for."""
    face: Detection | None = None
    """The face that is cut out; None where the whole image or the square around the box of the source is used."""
    faces: int = 0
    """The number of faces that were found; 0 where none was searched."""


class Place(NamedTuple):
    """An image of the source that is read again, and the part of it that is used."""

    image: str
    box: Box | None = None
    face: Detection | None = None


Describe = Callable[[np.ndarray, Entry], Content]
"""Returns the content of a decoded image, uint8 (height, width, channels). It must be picklable."""

Convert = Callable[[np.ndarray, Place], np.ndarray]
"""Returns the input of a model from an image that is read again. It must be picklable."""

Batch = list[tuple[Entry, Content]]


class Source(Protocol):
    """Existing raw data of a known layout."""

    name: str
    """The path of the source, for messages."""
    layout: str
    """The name of the layout that was recognized."""
    count: int | None
    """The number of images, where it is known before they are read."""
    columns: tuple[str, ...]
    """The names of further columns, whose values every entry has."""
    skipped: Mapping[str, int]
    """The number of files that are no images of the source, by their kind, such as `system files`."""

    def preview(self) -> Sequence[Entry]:
        """Return entries without reading an image: all where `count` is known, and else those of the first rows.

        Raises:
            InputError: the source cannot be read.
        """

    def batches(self, describe: Describe, size: int = BATCH) -> Iterator[Batch]:
        """Read every image in the order of the source, at most `size` at a time."""

    def read_again(self, places: Sequence[Place], convert: Convert) -> Iterator[np.ndarray]:
        """Read images again, which must be in the order of the source, and convert each.

        Raises:
            InputError: an image is missing or no longer decodes.
        """
