"""The tables and folders that `emotion video` wrote, as tests read them."""

import csv
from pathlib import Path

import numpy as np

from emotion.core.emotion_names import EMOTIONS


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def probabilities_of(row: dict[str, str]) -> np.ndarray:
    return np.array([float(row[name]) for name in EMOTIONS])


def file_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
