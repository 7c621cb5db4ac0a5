"""The tables that benchmarks write into README.md and docs/, each between two marks of its own."""

from pathlib import Path

from emotion.core.errors import InputError
from emotion.core.files import atomic_path


def write_between(document: Path, marks: tuple[str, str], table: str) -> None:
    """Put `table` between `marks` in the file `document`; see `fill_between`."""
    text = fill_between(document, marks, table)
    with atomic_path(document) as temporary:
        temporary.write_text(text, encoding="utf-8")


def fill_between(document: Path, marks: tuple[str, str], table: str) -> str:
    """Return the text of `document` with `table` between `marks`, which are whole lines.

    Raises:
        InputError: the marks are not there.
    """
    before, _, rest = document.read_text(encoding="utf-8").partition(marks[0])
    _, mark, after = rest.partition(marks[1])
    if not mark:
        raise InputError(
            f"{document} lacks the lines {marks[0].strip()} and {marks[1].strip()}, which the table goes in; add both, "
            "one below the other"
        )
    return before + marks[0] + table + marks[1] + after
