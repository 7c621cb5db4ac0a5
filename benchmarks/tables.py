"""Tables: read from CSV, and written in Markdown."""

import csv
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path


def render_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as Markdown; every row has as many cells as the header."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join("|" + "|".join(f" {cell} " if cell else " " for cell in line) + "|\n" for line in lines)


def spread_text(values: Sequence[float], text: Callable[[float], str]) -> str:
    """Return the mean and the standard deviation of at least two values, each as `text` writes a value."""
    return f"{text(statistics.mean(values))}, {text(statistics.stdev(values))}"


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file, each by the names of its columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
