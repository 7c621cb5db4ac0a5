"""Pixels as numbers in a table: the image that they are, or the reason why they are none."""

from collections import Counter
from collections.abc import Iterable
from math import isqrt
from typing import NamedTuple

import numpy as np

from emotion.core.errors import InputError

USUAL_SIZE = 48
"""Height and width of FER2013's images, in pixels."""

AROUND = b' "\r\n\t'
"""Bytes that may surround a value."""

SEPARATORS = str.maketrans(dict.fromkeys("[](),;\r\n\t", " "))
"""Signs beside and between the numbers of a list, as blanks."""


class Shape(NamedTuple):
    """The images of a table: squares of `size` pixels a side, with 1 channel or the 3 of RGB.

    The numbers go row by row; with RGB, the three values of a pixel stand together.
    """

    size: int
    channels: int = 1
    scale: int = 1
    """The factor from a number to a value from 0 to 255: 255 for numbers from 0 to 1, else 1."""

    @property
    def numbers(self) -> int:
        """The number of values of an image."""
        return self.size * self.size * self.channels

    @property
    def written(self) -> str:
        """The shape for messages, such as `48x48` or `48x48 RGB`."""
        return f"{self.size}x{self.size}" + (" RGB" if self.channels == 3 else "")


def common_shape(counts: Iterable[int], scale: int = 1) -> Shape:
    """Return the shape of most images whose numbers of values are `counts`; FER2013's where none is a square."""
    for count, _ in Counter(counts).most_common():
        for channels in (1, 3):
            size = isqrt(count // channels)
            if count and size * size * channels == count:
                return Shape(size, channels, scale)
    return Shape(USUAL_SIZE, 1, scale)


def parse_pixels(field: bytes, shape: Shape) -> np.ndarray:
    """Return whole numbers with blanks between them as uint8 (size, size, channels).

    Raises:
        InputError: the field holds anything else than numbers from 0 to 255, or not as many as the shape has.
    """
    field = field.strip(AROUND)
    strange = field.translate(None, b"0123456789 ")
    if strange:
        raise InputError(f"the pixels hold {strange[:12].decode('utf-8', 'replace')!r}, expected digits and blanks")
    # Numbers too large for int64 become its largest value, which is refused like all values above 255.
    values = np.fromstring(field, dtype=np.int64, sep=" ") if field else np.empty(0, np.int64)
    _check_count(values.size, shape)
    if values.max() > 255:
        raise InputError(f"a pixel of {values.max()}, expected 0 to 255")
    return values.astype(np.uint8).reshape(shape.size, shape.size, shape.channels)


def read_numbers(text: str) -> np.ndarray:
    """Return the numbers in a text as float64 (numbers,): with blanks, commas or semicolons, also in brackets.

    Raises:
        InputError: there is something else than numbers.
    """
    words = text.translate(SEPARATORS).split()
    try:
        return np.array(words, dtype=np.float64)
    except ValueError:
        raise InputError(f"the pixels hold {_find_strange(words)!r}, expected numbers") from None


def to_image(values: np.ndarray, shape: Shape) -> np.ndarray:
    """Return numbers as an image, uint8 (size, size, channels); those with decimals are rounded.

    Raises:
        InputError: a number is below 0 or above the highest value, or there are not as many as the shape has.
    """
    _check_count(values.size, shape)
    highest = 255 // shape.scale
    # A comparison with NaN is false.
    if not (values.min() >= 0 and values.max() <= highest):
        wrong = values[~((values >= 0) & (values <= highest))][0]
        raise InputError(f"a pixel of {wrong:g}, expected 0 to {highest}")
    image: np.ndarray = np.rint(values * shape.scale).astype(np.uint8)
    return image.reshape(shape.size, shape.size, shape.channels)


def _check_count(count: int, shape: Shape) -> None:
    if count != shape.numbers:
        raise InputError(f"the row has {count} pixels, expected {shape.numbers} ({shape.written})")


def _find_strange(words: list[str]) -> str:
    for word in words:
        try:
            float(word)
        except ValueError:
            return word[:12]
    return ""
