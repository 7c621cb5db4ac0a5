"""Tables of faces, as `emotion video --csv` writes them, made for tests."""

from collections.abc import Iterable
from pathlib import Path

from emotion.app.video.face_table import COLUMNS

EMOTIONS = ("happy", "sad", "neutral")
HAPPY, SAD = (0.8, 0.1, 0.1), (0.2, 0.5, 0.3)

HEADER = ",".join([*COLUMNS, *EMOTIONS])

Sample = tuple[int, float, int, tuple[float, ...]]
"""Frame, seconds, face and probabilities."""


def line_of(sample: Sample) -> str:
    frame, seconds, face, shares = sample
    best = max(range(len(shares)), key=shares.__getitem__)
    values = (frame, f"{seconds:.3f}", face, 1, EMOTIONS[best], shares[best], 10, 20, 30, 30, *shares)
    return ",".join(map(str, values))


def write_table(path: Path, samples: Iterable[Sample], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *map(line_of, samples)]) + "\n", encoding="utf-8")
    return path
