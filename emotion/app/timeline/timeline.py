"""The emotions of faces over time, averaged in columns of equal length."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from emotion.app.timeline.table import FaceRows, Row
from emotion.core.errors import InputError

MOST_COLUMNS = 480
"""The largest number of columns. More could not be told apart."""

COLUMN_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
"""Lengths of a column, from which the shortest that fits is taken."""

ONE_FRAME = 0.04
"""Seconds for which the only frame of a table counts."""

LONGEST_FRAME = 1.0
"""Seconds for which a frame counts at most where the frames come quicker: after a pause nobody knows what was."""


@dataclass(frozen=True)
class FaceTimeline:
    """The emotions of a face.

    Attributes:
        number: the face's number.
        first, last: the seconds at which it is there for the first time, and no longer.
        seconds: the time for which it is there.
        shares: for each emotion, the share of that time in which it is the predicted one.
        columns: mean probabilities, float (columns, emotions); NaN in columns without the face.
    """

    number: int
    first: float
    last: float
    seconds: float
    shares: np.ndarray
    columns: np.ndarray


@dataclass(frozen=True)
class Timeline:
    """The emotions of the faces of a table.

    Attributes:
        name: the table's file name.
        emotions: the names of the emotions, in the order of the table.
        seconds: the time at which the last face is gone; it begins at 0.
        column_seconds: the length of a column.
        faces: those that are drawn, by number.
        other_faces: how many more there are.
        rows: how many rows the table has.
        cut_off: whether the last line of the table is cut off.
    """

    name: str
    emotions: tuple[str, ...]
    seconds: float
    column_seconds: float
    faces: Sequence[FaceTimeline]
    other_faces: int
    rows: int
    cut_off: bool


@dataclass
class _Extent:
    """The faces and times of a table, from a first pass over it."""

    rows: int = 0
    last_frame: int = 0
    last_seconds: float = 0.0
    first: tuple[int, float] | None = None
    faces: Counter[int] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        self.first = self.first or (row.frame, row.seconds)
        self.rows, self.last_frame, self.last_seconds = self.rows + 1, row.frame, row.seconds
        self.faces[row.face] += 1

    @property
    def frame_seconds(self) -> float:
        """The mean time from one frame to the next; ONE_FRAME where it cannot be known."""
        frame, seconds = self.first or (0, 0.0)
        return (self.last_seconds - seconds) / max(1, self.last_frame - frame) or ONE_FRAME


def read_timeline(rows: FaceRows, most_faces: int) -> Timeline:
    """Return the timeline of a table, of the `most_faces` faces with most rows.

    The table is read twice, row by row: the memory grows with the number of faces only.

    Raises:
        InputError: a row cannot be right, or there is none.
    """
    extent = _Extent()
    for row in rows:
        extent.add(row)
    if not extent.rows:
        raise InputError(f"{rows.path} has no face, so there is nothing to draw; expected at least one row")
    longest = max(LONGEST_FRAME, 2 * extent.frame_seconds)
    usual = min(extent.frame_seconds, longest)
    seconds = extent.last_seconds + usual
    column_seconds = next(
        (length for length in COLUMN_SECONDS if seconds <= length * MOST_COLUMNS), seconds / MOST_COLUMNS
    )
    chosen = sorted(face for face, _ in extent.faces.most_common(most_faces))
    sums = {face: _Sums(int(seconds / column_seconds) + 1, len(rows.emotions), column_seconds) for face in chosen}
    # Not more rows than before: the file may be growing.
    for row, duration in _with_durations(islice(rows, extent.rows), usual, longest):
        if row.face in sums:
            sums[row.face].add(row, duration)
    faces = [sums[face].to_timeline(face) for face in chosen]
    others = len(extent.faces) - len(chosen)
    return Timeline(rows.path.name, rows.emotions, seconds, column_seconds, faces, others, extent.rows, rows.cut_off)


def _with_durations(rows: Iterable[Row], usual: float, longest: float) -> Iterator[tuple[Row, float]]:
    """Yield each row and the seconds for which it counts, ordered within each face.

    A row counts until the next frame if the face is there too, and that frame follows within `longest` seconds. If
    not, it counts for the usual time from one frame to the next.
    """
    waiting: dict[int, Row] = {}
    frame = -1
    for row in rows:
        if row.frame != frame:
            gone = [face for face, earlier in waiting.items() if earlier.frame < frame]
            for face in gone:
                yield waiting.pop(face), usual
            frame = row.frame
        earlier = waiting.pop(row.face, None)
        if earlier is not None:
            gap = row.seconds - earlier.seconds
            yield earlier, gap if row.frame - earlier.frame == 1 and gap <= longest else usual
        waiting[row.face] = row
    yield from ((row, usual) for row in waiting.values())


class _Sums:
    """Sums over the time of a face: in each column the probabilities, and for each emotion the time predicted."""

    def __init__(self, columns: int, emotions: int, column_seconds: float) -> None:
        self._column_seconds = column_seconds
        self._weighted = np.zeros((columns, emotions))
        self._seconds = np.zeros(columns)
        self._predicted = np.zeros(emotions)
        self._first: float | None = None
        self._last = 0.0

    def add(self, row: Row, duration: float) -> None:
        """Count a row for `duration` seconds, in each column that they reach into."""
        start, end = row.seconds, row.seconds + duration
        self._first = start if self._first is None else self._first
        self._last = end
        self._predicted[row.emotion] += duration
        while start < end:
            column = min(int(start / self._column_seconds + 1e-9), len(self._seconds) - 1)
            stop = end if column == len(self._seconds) - 1 else min(end, (column + 1) * self._column_seconds)
            self._weighted[column] += np.multiply(row.probabilities, stop - start)
            self._seconds[column] += stop - start
            start = stop

    def to_timeline(self, number: int) -> FaceTimeline:
        """Return the means."""
        with np.errstate(invalid="ignore"):
            columns = self._weighted / self._seconds[:, np.newaxis]
        total = float(self._predicted.sum())
        return FaceTimeline(number, self._first or 0.0, self._last, total, self._predicted / total, columns)
