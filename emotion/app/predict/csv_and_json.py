"""The output of `emotion predict` for programs, as CSV or JSON. terminal_table.py has the table for people."""

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any, Protocol

from emotion.app.predict.results import ImageResult
from emotion.core.cells import guard
from emotion.core.files import METRIC_DECIMALS
from emotion.inference.predictor import Face

COLUMNS = ("path", "face", "status", "emotion", "confidence", "x", "y", "width", "height")
"""The first columns of the CSV. After them comes one for the probability of each emotion."""

UNDECODED = re.compile("[\udc80-\udcff]")
"""Bytes of file names that are not UTF-8, as Python holds them."""


class OutputFormat(Protocol):
    """Turns results into lines, one image after the other."""

    def header(self) -> list[str]:
        """Return the lines before the first image."""
        ...

    def lines(self, result: ImageResult) -> list[str]:
        """Return the lines of one image."""
        ...


class Csv:
    """One line per face, and one for each image without a face.

    Args:
        emotions: the names of the probabilities, in their order.
    """

    def __init__(self, emotions: Sequence[str]) -> None:
        self._emotions = emotions

    def header(self) -> list[str]:
        """Return the line with the names of the columns."""
        return [_csv_line([*COLUMNS, *self._emotions])]

    def lines(self, result: ImageResult) -> list[str]:
        """Return one line per face, or one line for an image without a face."""
        if not result.faces:
            empty = [""] * (len(COLUMNS) - 3 + len(self._emotions))
            return [_csv_line([str(result.path), "", result.status, *empty])]
        return [self._face_line(result, number, face) for number, face in enumerate(result.faces, start=1)]

    def _face_line(self, result: ImageResult, number: int, face: Face) -> str:
        start = [str(result.path), number, result.status, face.emotion, _decimals(face.confidence)]
        return _csv_line([*start, *face.box, *map(_decimals, face.probabilities)])


class Json:
    """One line per image: an object with its faces in a list.

    Args:
        emotions: the names of the probabilities, in their order.
    """

    def __init__(self, emotions: Sequence[str]) -> None:
        self._emotions = emotions

    def header(self) -> list[str]:
        """Return no line: JSON lines have no header."""
        return []

    def lines(self, result: ImageResult) -> list[str]:
        """Return one line, with the faces in a list."""
        faces = [self._face_object(number, face) for number, face in enumerate(result.faces, start=1)]
        text = json.dumps(
            {"path": str(result.path), "status": result.status, "faces": faces}, ensure_ascii=False, allow_nan=False
        )
        # JSON must be UTF-8. From these escapes, Python's json and os.fsencode give the bytes back.
        return [UNDECODED.sub(lambda match: f"\\u{ord(match[0]):x}", text)]

    def _face_object(self, number: int, face: Face) -> dict[str, Any]:
        return {
            "face": number,
            "box": face.box._asdict(),
            "emotion": face.emotion,
            "confidence": round(face.confidence, METRIC_DECIMALS),
            "probabilities": {
                name: round(float(probability), METRIC_DECIMALS)
                for name, probability in zip(self._emotions, face.probabilities, strict=True)
            },
        }


def _csv_line(values: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(guard(value) if isinstance(value, str) else value for value in values)
    return text.getvalue()


def _decimals(value: float) -> str:
    return f"{value:.{METRIC_DECIMALS}f}"
