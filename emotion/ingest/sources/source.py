"""The interface of all sources: an entry per image (name, emotion and split), and its content."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from emotion.ingest.sources.pixel_hash import hash_pixels

BATCH = 256
"""Number of images that a process reads before it returns them."""

SMALL_IMAGE = 64 * 64
"""Number of pixels up to which images are stored when they are read. Larger images are read again when needed."""

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "validation": "val",
    "publictest": "val",
    "test": "test",
    "privatetest": "test",
}
"""Splits by their names in sources, in lower case."""


class Entry(NamedTuple):
    """An image of a source before it is read."""

    image: str
    """The name within the source, such as `row 17` or `train/happy/Training_1.jpg`."""
    emotion: str
    """One of labels.KNOWN_EMOTIONS."""
    split: str | None
    """The source's split, train, val or test; None where it has none."""


class Content(NamedTuple):
    """The content of an image. Where `reason` is not empty, the image is rejected and the other values are empty."""

    height: int
    width: int
    channels: int
    hash: str
    blank: bool
    pixels: bytes
    """The uint8 pixels of a small image, row by row; empty for a larger one."""
    reason: str


Convert = Callable[[np.ndarray], np.ndarray]
Batch = list[tuple[Entry, Content]]


class Source(Protocol):
    """Existing raw data of a known layout."""

    name: str
    """The path of the source, for messages."""
    count: int | None
    """The number of images, where it is known before they are read."""

    def batches(self) -> Iterator[Batch]:
        """Read every image in the order of the source, at most BATCH at a time."""

    def read_again(self, names: Sequence[str], convert: Convert) -> Iterator[np.ndarray]:
        """Read the images `names` again, which must be in the order of the source, and convert each.

        Raises:
            InputError: an image is missing or no longer decodes.
        """


def content_of(image: np.ndarray) -> Content:
    """Return the content of `image`, uint8 (height, width, channels), for the table."""
    height, width, channels = image.shape
    if height * width > SMALL_IMAGE:
        return Content(height, width, channels, hash_pixels(image), bool((image == image[0, 0]).all()), b"", "")
    pixels = image.tobytes()
    blank = pixels == pixels[:channels] * (height * width)
    return Content(height, width, channels, hash_pixels(image), blank, pixels, "")


def rejected(reason: str) -> Content:
    """Return the content of an unusable image, with the reason."""
    return Content(0, 0, 0, "", False, b"", reason)
