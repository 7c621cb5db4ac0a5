"""The table of faces that `emotion video` and `emotion webcam` write as CSV."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from emotion.core.errors import InputError, is_disk_full
from emotion.core.files import METRIC_DECIMALS
from emotion.inference.tracking import TrackedFace
from emotion.inference.video_reader import Frame

COLUMNS = ("frame", "seconds", "face", "detected", "emotion", "confidence", "x", "y", "width", "height")
"""The first columns. After them comes one for the probability of each emotion."""


class FaceTable:
    """Writes one row per face and frame.

    Args:
        file: what to write to; it must not translate line ends.
        emotions: the names of the probabilities, in their order.
    """

    def __init__(self, file: TextIO, emotions: Sequence[str]) -> None:
        self._rows = csv.writer(file, lineterminator="\n")
        self._rows.writerow([*COLUMNS, *emotions])

    def add(self, frame: Frame, tracked_faces: Sequence[TrackedFace]) -> None:
        """Write the rows of a frame."""
        for number, face, detected in tracked_faces:
            decimals = [f"{share:.{METRIC_DECIMALS}f}" for share in (face.confidence, *face.probabilities)]
            confidence, *probabilities = decimals
            which = [frame.number, f"{frame.seconds:.3f}", number, int(detected)]
            self._rows.writerow([*which, face.emotion, confidence, *face.box, *probabilities])


@contextmanager
def open_face_table(path: Path, emotions: Sequence[str]) -> Iterator[FaceTable]:
    """Yield a table that is written to `path`.

    Raises:
        InputError: the file cannot be opened.
    """
    with _open_for_writing(path) as file:
        yield FaceTable(file, emotions)


def _open_for_writing(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        if is_disk_full(error):
            raise
        raise InputError(f"{path} cannot be written: {error.strerror}; name another file or folder") from None
