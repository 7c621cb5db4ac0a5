"""Tables: read from CSV, and written in Markdown."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path


def render_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as Markdown; every row has as many cells as the header."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join("|" + "|".join(f" {cell} " if cell else " " for cell in line) + "|\n" for line in lines)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file, each by the names of its columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
