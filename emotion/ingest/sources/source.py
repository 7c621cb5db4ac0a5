"""The interface of all sources: an entry per image (name, emotion and split), and the content that was read."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from emotion.ingest.sources.pixel_hash import hash_pixels

BATCH = 256
"""Images that one process reads before it returns them."""

SMALL_IMAGE = 64 * 64
"""Images of at most so many pixels are kept as they are read; larger ones are read again when needed."""

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "validation": "val",
    "publictest": "val",
    "test": "test",
    "privatetest": "test",
}
"""What sources call the splits, in lower case."""


class Entry(NamedTuple):
    """An image of a source before it is read."""

    image: str
    """Its name within the source: `row 17` or `train/happy/Training_1.jpg`."""
    emotion: str
    """One of labels.KNOWN_EMOTIONS."""
    split: str | None
    """train, val or test as the source has it; None where it has no split."""


class Content(NamedTuple):
    """What was read of an image. Where `reason` is not empty, the image is rejected and the rest is empty."""

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
    """Raw data that exists and whose layout is known."""

    name: str
    """The path of what is read, for messages."""
    count: int | None
    """How many images there are, where that is known before they are read."""

    def batches(self) -> Iterator[Batch]:
        """Read every image in the source's order, at most BATCH of them at a time."""

    def read_again(self, names: Sequence[str], convert: Convert) -> Iterator[np.ndarray]:
        """Read the images of these names again, in this order, which is the source's, and convert each.

        Raises:
            InputError: one of them is gone or no longer decodes.
        """


def content_of(image: np.ndarray) -> Content:
    """Return what the table holds of `image`, uint8 (height, width, channels)."""
    height, width, channels = image.shape
    if height * width > SMALL_IMAGE:
        return Content(height, width, channels, hash_pixels(image), bool((image == image[0, 0]).all()), b"", "")
    pixels = image.tobytes()
    blank = pixels == pixels[:channels] * (height * width)
    return Content(height, width, channels, hash_pixels(image), blank, pixels, "")


def rejected(reason: str) -> Content:
    """Return the content of an image that cannot be used, with the reason why."""
    return Content(0, 0, 0, "", False, b"", reason)
