"""Files of decisions for tests."""

from pathlib import Path

from emotion.core.paths import LABELS

HEADER = "hash,given,decision,emotion,note"


def write_lines(*lines: str, name: str = "decisions.csv", header: str = HEADER) -> Path:
    """Write a file of decisions with these lines into data/labels; return its path."""
    LABELS.mkdir(parents=True, exist_ok=True)
    path = LABELS / name
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path
