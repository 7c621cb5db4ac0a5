"""What `emotion predict` says of each image: as lines of CSV, of JSON, or of a table to look at."""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from emotion.app.predict.reading import Reading
from emotion.core.files import METRIC_DECIMALS
from emotion.inference.predictor import Face

COLUMNS = ("path", "face", "status", "emotion", "confidence", "x", "y", "width", "height")
"""The columns of the CSV; the probabilities follow, one column an emotion."""

UNDECODED = re.compile("[\udc80-\udcff]")
"""Bytes of file names that are no UTF-8, as Python holds them."""

BOX_WIDTH, BAR_WIDTH = 24, 10
SMALLEST_SHOWN = 0.01
"""The probability below which the table names no other emotion."""


class Format(Protocol):
    """Turns readings into lines, one image after the other."""

    def head(self) -> list[str]:
        """Return the lines before the first image."""
        ...

    def lines(self, reading: Reading) -> list[str]:
        """Return the lines of one image."""
        ...


class Csv:
    """A line a face, and one without a face for each image that has none."""

    def __init__(self, emotions: Sequence[str]) -> None:
        self._emotions = emotions

    def head(self) -> list[str]:
        return [_csv_line([*COLUMNS, *self._emotions])]

    def lines(self, reading: Reading) -> list[str]:
        if not reading.faces:
            empty = [""] * (len(COLUMNS) - 3 + len(self._emotions))
            return [_csv_line([str(reading.path), "", reading.status, *empty])]
        return [self._line(reading, number, face) for number, face in enumerate(reading.faces, start=1)]

    def _line(self, reading: Reading, number: int, face: Face) -> str:
        shares = [_decimals(share) for share in face.probabilities]
        start = [str(reading.path), number, reading.status, face.emotion, _decimals(face.confidence)]
        return _csv_line([*start, *face.box, *shares])


class Json:
    """An object a line, one for each image, with its faces in a list."""

    def __init__(self, emotions: Sequence[str]) -> None:
        self._emotions = emotions

    def head(self) -> list[str]:
        return []

    def lines(self, reading: Reading) -> list[str]:
        faces = [self._face(number, face) for number, face in enumerate(reading.faces, start=1)]
        text = json.dumps(
            {"path": str(reading.path), "status": reading.status, "faces": faces}, ensure_ascii=False, allow_nan=False
        )
        # JSON has to be UTF-8; so escaped, Python's json and os.fsencode give the name's bytes back.
        return [UNDECODED.sub(lambda found: f"\\u{ord(found[0]):x}", text)]

    def _face(self, number: int, face: Face) -> dict[str, Any]:
        return {
            "face": number,
            "box": face.box._asdict(),
            "emotion": face.emotion,
            "confidence": round(face.confidence, METRIC_DECIMALS),
            "probabilities": {
                name: round(float(share), METRIC_DECIMALS)
                for name, share in zip(self._emotions, face.probabilities, strict=True)
            },
        }


class Table:
    """Aligned columns for a terminal.

    Args:
        emotions: the names of the probabilities, in their order.
        paths: all that will come, by which the first column gets its width.
        columns: the width of the terminal.
        encoding: that of the terminal; where it has no blocks, bars are drawn with `#`.
    """

    def __init__(self, emotions: Sequence[str], paths: Sequence[Path], *, columns: int, encoding: str) -> None:
        self._emotions = emotions
        self._block = "\N{FULL BLOCK}" if _can_show("\N{FULL BLOCK}", encoding) else "#"
        self._emotion = max(len("emotion"), *map(len, emotions))
        others = len("  face  ") + BOX_WIDTH + self._emotion + len("  100.0 %  ") + BAR_WIDTH
        longest = max((_width(_printable(path)) for path in paths), default=0)
        self._path = max(len("image"), min(longest, max(20, columns - others - 1)))

    def head(self) -> list[str]:
        return [f"{'image':{self._path}}  face  {'box':{BOX_WIDTH}}{'emotion':{self._emotion}}  confidence"]

    def lines(self, reading: Reading) -> list[str]:
        path = _fit(_printable(reading.path), self._path)
        if not reading.faces:
            return [f"{path}     -  {_printable(reading.status)}"]
        starts = [path] + [" " * self._path] * (len(reading.faces) - 1)
        faces = enumerate(zip(starts, reading.faces, strict=True), start=1)
        return [f"{start}  {number:4}  {self._face(face)}" for number, (start, face) in faces]

    def _face(self, face: Face) -> str:
        x, y, width, height = face.box
        box = f"{width} x {height} at {x}, {y}"
        bar = f"{self._block * round(BAR_WIDTH * face.confidence):{BAR_WIDTH}}"
        emotion = f"{face.emotion:{self._emotion}}"
        return f"{box:{BOX_WIDTH}}{emotion}  {100 * face.confidence:5.1f} %  {bar}  {self._runner_up(face)}".rstrip()

    def _runner_up(self, face: Face) -> str:
        """Return the likeliest of the other emotions: `neutral 3 %`."""
        others = zip(self._emotions, face.probabilities, strict=True)
        share, name = max((float(share), name) for name, share in others if name != face.emotion)
        return f"{name} {100 * share:.0f} %" if share >= SMALLEST_SHOWN else ""


def _csv_line(values: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()


def _decimals(value: float) -> str:
    return f"{value:.{METRIC_DECIMALS}f}"


def _can_show(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (LookupError, UnicodeError):
        return False
    return True


def _printable(text: Path | str) -> str:
    """Return `text` without what would move the cursor or cannot be shown."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(text))


def _fit(text: str, width: int) -> str:
    """Return `text` filled up to `width` places of a terminal; of a longer one the end, which tells files apart."""
    if _width(text) > width:
        text = "\N{HORIZONTAL ELLIPSIS}" + _end(text, width - 1)
    return text + " " * (width - _width(text))


def _end(text: str, width: int) -> str:
    while _width(text) > width:
        text = text[1:]
    return text


def _width(text: str) -> int:
    """Return how many places of a terminal `text` takes: two for the wide letters of East Asia."""
    return sum(_places(letter) for letter in text)


def _places(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
