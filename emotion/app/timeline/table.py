"""The table of `emotion video --csv` and `emotion webcam --csv`, read row by row and checked."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from emotion.app.video.face_table import COLUMNS
from emotion.core.errors import InputError

EXPECTED = "expected a table that `emotion video --csv` or `emotion webcam --csv` wrote"

LONGEST = 1e6
"""Seconds up to which times are taken: 11 days."""

SUM_TOLERANCE = 0.01
"""The difference from 1 that the sum of a face's probabilities may have, from rounding."""


class Row(NamedTuple):
    """A face in a frame.

    Attributes:
        frame: the frame's number, from 0.
        seconds: the frame's time.
        face: the face's number, from 1.
        emotion: the index of the predicted emotion.
        probabilities: the probability of each emotion, 0 to 1.
    """

    frame: int
    seconds: float
    face: int
    emotion: int
    probabilities: list[float]


class FaceRows:
    """The rows of a table, read anew at each iteration. Only one is in memory at a time.

    A last line that is cut off, as in a file that is still being written, is left out. Then `cut_off` is True.

    Args:
        path: the CSV file.

    Raises:
        InputError: the file is missing, or no such table. Iterating raises it for a row that cannot be right.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            problem = "is not a file" if path.exists() else "does not exist"
            raise InputError(f"{path} {problem}; {EXPECTED}")
        self.path = path
        self.cut_off = False
        """Whether the last line is cut off, once all are read."""
        with self._open() as file:
            self.emotions = self._read_header(file)
            """The names of the emotions, in the order of the table."""

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows in the order of the file. Raises InputError at one that cannot be right."""
        with self._open() as file:
            lines = csv.reader(file)
            try:
                next(lines)
                order = _Order()
                for fields in lines:
                    row = self._parse(fields, lines.line_num, file)
                    if row is None:
                        return
                    if problem := order.problem(row):
                        raise self._error(lines.line_num, problem)
                    yield row
            except UnicodeDecodeError:
                raise InputError(f"{self.path} is not UTF-8; {EXPECTED}") from None
            except csv.Error as error:
                raise self._error(lines.line_num, str(error)) from None

    def _open(self) -> TextIO:
        # Spreadsheets put a byte order mark at the start.
        try:
            return self.path.open(encoding="utf-8-sig", newline="")
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror}; check its permissions") from None

    def _read_header(self, file: TextIO) -> tuple[str, ...]:
        try:
            header = next(csv.reader(file), None)
        except (UnicodeDecodeError, csv.Error):
            raise InputError(f"{self.path} is not a CSV file in UTF-8; {EXPECTED}") from None
        if not header:
            raise InputError(f"{self.path} is empty; {EXPECTED}")
        if "path" in header and "frame" not in header:
            raise InputError(
                f"{self.path} is a table of images, as `emotion predict --csv` writes it, and has no times; {EXPECTED}"
            )
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            raise InputError(f"{self.path} has no column {', '.join(missing)}; {EXPECTED}")
        emotions = tuple(header[len(COLUMNS) :])
        if tuple(header[: len(COLUMNS)]) != COLUMNS or len(set(emotions)) < max(2, len(emotions)) or "" in emotions:
            raise InputError(
                f"{self.path} has the columns {', '.join(header)}; expected {', '.join(COLUMNS)} in this order, and "
                "then the name of each emotion once"
            )
        return emotions

    def _parse(self, fields: Sequence[str], line: int, file: TextIO) -> Row | None:
        """Return the row in `fields`; None where the file ends in the middle of it."""
        try:
            return self._to_row(fields)
        except ValueError as error:
            if not self._ends_without_newline() or file.read(1):
                raise self._error(line, str(error)) from None
            self.cut_off = True
            return None

    def _to_row(self, fields: Sequence[str]) -> Row:
        """Return the row in `fields`; raise ValueError where it cannot be right."""
        expected = len(COLUMNS) + len(self.emotions)
        if len(fields) != expected:
            raise ValueError(f"{len(fields)} values, expected {expected}")
        frame, seconds, face = int(fields[0]), float(fields[1]), int(fields[2])
        if frame < 0 or face < 1 or not 0 <= seconds <= LONGEST:
            raise ValueError(
                f"frame {frame}, seconds {seconds:g}, face {face}; expected a frame from 0, seconds from 0 to "
                f"{LONGEST:g} and a face from 1"
            )
        if fields[4] not in self.emotions:
            raise ValueError(f"the emotion {fields[4]!r}, expected one of {', '.join(self.emotions)}")
        probabilities = [float(field) for field in fields[len(COLUMNS) :]]
        # A NaN fails both.
        if not (all(0 <= share <= 1 for share in probabilities) and abs(sum(probabilities) - 1) <= SUM_TOLERANCE):
            raise ValueError(
                f"probabilities {', '.join(fields[len(COLUMNS) :])}; expected numbers from 0 that sum to 1"
            )
        return Row(frame, seconds, face, self.emotions.index(fields[4]), probabilities)

    def _ends_without_newline(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, 2)
            return file.read(1) not in b"\r\n"

    def _error(self, line: int, problem: str) -> InputError:
        return InputError(f"{self.path}, line {line}: got {problem}; write the table again, or remove the line")


class _Order:
    """The order of rows: time goes on, and a face is in a frame once."""

    def __init__(self) -> None:
        self._frame, self._seconds = -1, 0.0
        self._faces: set[int] = set()

    def problem(self, row: Row) -> str:
        """Go to the next row; return what is wrong with its place, or an empty text."""
        if row.frame < self._frame or row.seconds < self._seconds:
            return f"frame {row.frame} at {row.seconds:g} s after frame {self._frame} at {self._seconds:g} s"
        if row.frame > self._frame:
            self._faces.clear()
        if row.face in self._faces:
            return f"face {row.face} twice in frame {row.frame}"
        self._frame, self._seconds = row.frame, row.seconds
        self._faces.add(row.face)
        return ""
