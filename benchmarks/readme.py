"""The tables of README.md that benchmarks write, each between two marks of its own."""

from pathlib import Path

from emotion.errors import InputError
from emotion.files import atomic_path


def write_between(readme: Path, marks: tuple[str, str], table: str) -> None:
    """Put `table` between `marks` in the file `readme`; see `fill_between`."""
    text = fill_between(readme.read_text(encoding="utf-8"), marks, table)
    with atomic_path(readme) as temporary:
        temporary.write_text(text, encoding="utf-8")


def fill_between(text: str, marks: tuple[str, str], table: str) -> str:
    """Return README.md's `text` with `table` between `marks`, which are whole lines.

    Raises:
        InputError: the marks are not there.
    """
    before, _, rest = text.partition(marks[0])
    _, mark, after = rest.partition(marks[1])
    if not mark:
        raise InputError(
            f"README.md lacks the lines {marks[0].strip()} and {marks[1].strip()}, which the table goes in; add both, "
            "one below the other"
        )
    return before + marks[0] + table + marks[1] + after
