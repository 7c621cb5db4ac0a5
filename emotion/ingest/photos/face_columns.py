"""The columns `box` and `face` of the table: places of faces in images, as texts."""

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import TypeVar

import pandas as pd

from emotion.faces.detection import Box, Detection

Parsed = TypeVar("Parsed")


def format_box(box: Box | None) -> str:
    """Return a box as the text `x y width height`; an empty text for none."""
    return "" if box is None else " ".join(map(str, box))


def parse_box(text: str) -> Box | None:
    """Return the box that `format_box` wrote."""
    return Box(*map(int, text.split())) if text else None


def format_face(face: Detection | None) -> str:
    """Return a face as the text `x y width height tilt`, with every digit of the tilt; an empty text for none."""
    return "" if face is None else f"{format_box(face.box)} {face.tilt!r}"


def parse_face(text: str) -> Detection | None:
    """Return the face that `format_face` wrote."""
    if not text:
        return None
    *box, tilt = text.split()
    return Detection(Box(*map(int, box)), float(tilt))


def parse_column(table: pd.DataFrame, column: str, parse: Callable[[str], Parsed | None]) -> Iterable[Parsed | None]:
    """Return what `parse` makes of each row's value in a column; None for each where the table lacks the column."""
    return map(parse, table[column]) if column in table else repeat(None, len(table))
