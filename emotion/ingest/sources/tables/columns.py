"""The columns of a table of pixels, by their names."""

import re
from collections.abc import Sequence
from typing import NamedTuple

EMOTION_NAMES = ("emotion", "label", "class", "expression", "target")
PIXELS_NAMES = ("pixels", "pixel")
USAGE_NAMES = ("usage", "split", "set")
"""Names of the columns with the emotion, the pixels and the split, in lower case. The first that is there counts."""

ONE_PIXEL = re.compile(r"(?:pixel|px|p)?[ _-]?(\d{1,7})")
"""The name of a column that holds one pixel, such as `pixel_17` or `17`."""

FEWEST_PIXELS = 4
"""Number of such columns from which they are taken for an image."""


class Columns(NamedTuple):
    """The positions of the values in a row, and their number."""

    total: int
    emotion: int
    pixels: tuple[int, ...]
    """One position, whose value holds all pixels; or a position for each pixel, in the order of the pixels."""
    usage: int | None
    is_fer2013: bool
    """Whether the columns have the names that FER2013's have."""


def find_columns(header: Sequence[str]) -> Columns | None:
    """Return the columns of a table by the names in its first row; None where it is no table of pixels.

    Case, blanks and quotes around a name do not count.
    """
    names = [name.strip(" \"'\r\n\t\ufeff").lower() for name in header]
    emotion, pixels, usage = (_find(names, known) for known in (EMOTION_NAMES, PIXELS_NAMES, USAGE_NAMES))
    places = _find_single_pixels(names) if pixels is None else (pixels,)
    if emotion is None or not places or _is_repeated(names, emotion, usage, pixels):
        return None
    is_fer2013 = names[emotion] == EMOTION_NAMES[0] and pixels is not None and names[pixels] == PIXELS_NAMES[0]
    return Columns(len(names), emotion, places, usage, is_fer2013)


def _find(names: Sequence[str], known: Sequence[str]) -> int | None:
    return next((names.index(name) for name in known if name in names), None)


def _is_repeated(names: Sequence[str], *places: int | None) -> bool:
    return any(place is not None and names.count(names[place]) > 1 for place in places)


def _find_single_pixels(names: Sequence[str]) -> tuple[int, ...]:
    """Return the positions of the columns with one pixel each, by their numbers; none where numbers are missing."""
    matches = ((ONE_PIXEL.fullmatch(name), place) for place, name in enumerate(names))
    numbered = sorted((int(match[1]), place) for match, place in matches if match)
    numbers = [number for number, _ in numbered]
    if len(numbers) < FEWEST_PIXELS or numbers[0] > 1 or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return ()
    return tuple(place for _, place in numbered)
