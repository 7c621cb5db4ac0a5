"""Write every table of figures in README.md and docs/ from metrics files.

`python -m tools.figures` fills the lines between `<!-- figures: NAME -->` and `<!-- /figures -->`. With `--check` it
writes nothing and ends with status 1 where a document would change.
"""

import argparse
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import comparison_report, released_report, score_tables, speed_tables
from emotion.core.errors import InputError, run_command
from emotion.core.files import atomic_path

TABLES: dict[str, Callable[[], str]] = {
    "accuracy": score_tables.render_accuracy,
    "released": released_report.render_released,
    "standard": score_tables.render_standard,
    "classes": score_tables.render_classes,
    "seeds": score_tables.render_seeds,
    "fer2013": score_tables.render_data,
    "comparison": comparison_report.render_comparison,
    "sample": score_tables.render_sample,
    "sweep": score_tables.render_sweep,
    "speed": speed_tables.render_summary,
    "training step": partial(speed_tables.render_step, "training_speed"),
    "training step with AMX": partial(speed_tables.render_step, "training_speed_amx"),
    "winograd": speed_tables.render_winograd,
    "ingestion": speed_tables.render_ingestion,
    "reading": speed_tables.render_reading,
}
"""The function that renders each table, by the name in its marker."""

START = re.compile(r"^<!-- figures: (?P<name>.+) -->$")
END = "<!-- /figures -->"


def main() -> None:
    """Write the tables, or check them, as the command line asks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a document would change")
    options = parser.parse_args()
    run_command(lambda: update(check=options.check))


def update(*, check: bool = False) -> None:
    """Write the tables of all documents; with `check` fail where one differs.

    Raises:
        InputError: a document differs, or its markers are wrong.
    """
    texts = {document: fill_tables(document, TABLES) for document in list_documents()}
    changed = [document for document, text in texts.items() if text != document.read_text(encoding="utf-8")]
    if check and changed:
        raise InputError(f"{', '.join(map(str, changed))}: figures differ from those in results/; run `make figures`")
    for document in changed:
        with atomic_path(document) as temporary:
            temporary.write_text(texts[document], encoding="utf-8")
        print(f"wrote the tables of {document}", file=sys.stderr)


def list_documents() -> list[Path]:
    """Return README.md and the pages of docs/, at any depth."""
    return [Path("README.md"), *sorted(Path("docs").rglob("*.md"))]


def fill_tables(document: Path, tables: dict[str, Callable[[], str]]) -> str:
    """Return the text of a document with each table between its markers.

    Raises:
        InputError: a marker names no table, or lacks its end.
    """
    lines: list[str] = []
    opened = ""
    for line in document.read_text(encoding="utf-8").splitlines(keepends=True):
        start = START.match(line.rstrip("\n"))
        if line.rstrip("\n") == END:
            opened = ""
        if start and opened:
            break
        if not opened:
            lines.append(line)
        if start:
            opened = start["name"]
            lines.append(_render(document, opened, tables))
    if opened:
        raise InputError(f"{document}: the marker of the table {opened!r} lacks its end; add the line {END}")
    return "".join(lines)


def _render(document: Path, name: str, tables: dict[str, Callable[[], str]]) -> str:
    if name not in tables:
        raise InputError(f"{document}: got a marker of the table {name!r}, expected one of {', '.join(tables)}")
    return tables[name]()


if __name__ == "__main__":
    main()
