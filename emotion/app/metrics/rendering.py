"""The output of `emotion metrics`: tables of one revision or of the changes between two, and JSON."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from emotion.app.metrics.figures import MISSING, change_text, is_number, value_text
from emotion.app.metrics.revisions import Metrics
from emotion.app.metrics.sections import Section, Table, flatten
from emotion.core.files import rounded
from emotion.presentation.markdown import escape

LONGEST_REVISION = 20
"""Characters of a revision's name in the header of a table."""

ELLIPSIS = "..."
MISSING_NOTE = f"{MISSING}: not defined, or not measured"
MISSING_CHANGE_NOTE = f"{MISSING}: not defined, or not in that revision"


class Grid(NamedTuple):
    """The texts of a table.

    Attributes:
        title: the line above it.
        names: number of columns on the left that hold names; the others hold figures.
        header: the titles of the columns.
        rows: the cells, as many in each row as in the header.
        notes: the lines below it; empty texts are left out.
    """

    title: str
    names: int
    header: list[str]
    rows: list[list[str]]
    notes: list[str]


def show_grids(sections: Iterable[Section], metrics: Metrics) -> list[Grid]:
    """Return the tables of one revision; those without figures are left out."""
    tables = [table for section in sections for table in section.tables(section.read(metrics))]
    return [_show(table) for table in tables if table.cells]


def _show(table: Table) -> Grid:
    rows = [[name, *(value_text(row.get(column)) for column in table.columns)] for name, row in table.cells.items()]
    return Grid(table.title, 1, [table.rows_are, *table.columns], rows, [table.note, _explain(rows, MISSING_NOTE)])


def _explain(rows: list[list[str]], note: str) -> str:
    """Return the note on missing figures where a row has one."""
    return note if any(MISSING in row for row in rows) else ""


def diff_grids(sections: Iterable[Section], old: Metrics, new: Metrics, *, unchanged: bool = False) -> list[Grid]:
    """Return tables of the changes from `old` to `new`, a figure a row; with `unchanged`, of all figures."""
    pairs = [
        pair
        for section in sections
        for pair in zip(section.tables(section.read(old)), section.tables(section.read(new)), strict=True)
    ]
    titles = [_shorten(old.revision), _shorten(new.revision), "change"]
    return [_diff(*pair, titles, unchanged=unchanged) for pair in pairs if pair[0].cells or pair[1].cells]


def _diff(old: Table, new: Table, titles: list[str], *, unchanged: bool) -> Grid:
    names = [name for name in (new.rows_are, new.columns_are) if name]
    rows, same = [], 0
    for row, column in _places(old, new):
        before, after = (table.cells.get(row, {}).get(column) for table in (old, new))
        if before == after and not unchanged:
            same += 1
            continue
        figures = [value_text(cell and cell._replace(interval=None), fine=True) for cell in (before, after)]
        rows.append([*[row, column][: len(names)], *figures, change_text(before, after)])
    note = f"{same} {'figure is' if same == 1 else 'figures are'} the same." if same else ""
    notes = [new.note if rows else "", _explain(rows, MISSING_CHANGE_NOTE), note]
    return Grid(new.title, len(names), [*names, *titles], rows, notes)


def _places(old: Table, new: Table) -> Iterator[tuple[str, str]]:
    """Yield the row and column of every figure of either table, once."""
    columns = list(dict.fromkeys([*new.columns, *old.columns]))
    for row in dict.fromkeys([*new.cells, *old.cells]):
        there = {*new.cells.get(row, {}), *old.cells.get(row, {})}
        yield from ((row, column) for column in columns if column in there)


def _shorten(revision: str) -> str:
    fits = len(revision) <= LONGEST_REVISION
    return revision if fits else revision[: LONGEST_REVISION - len(ELLIPSIS)] + ELLIPSIS


def to_text(grid: Grid) -> str:
    """Return a grid with aligned columns, for terminals and pipes."""
    lines = [grid.header, *grid.rows] if grid.rows else []
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = ["  ".join(map(_align, line, widths, _sides(grid))).rstrip() for line in lines]
    return "\n".join([grid.title, *aligned, *filter(None, grid.notes)]) + "\n"


def _sides(grid: Grid) -> str:
    return "<" * grid.names + ">" * (len(grid.header) - grid.names)


def _align(text: str, width: int, side: str) -> str:
    return f"{text:{side}{width}}"


def to_markdown(grid: Grid) -> str:
    """Return a grid as a table in Markdown, below its title."""
    rule = [{"<": "---", ">": "---:"}[side] for side in _sides(grid)]
    lines = [_markdown_line(grid.header), f"| {' | '.join(rule)} |\n", *map(_markdown_line, grid.rows)]
    table = "".join(lines) if grid.rows else ""
    return "\n".join([f"**{grid.title}**\n", *filter(None, [table]), *(f"{note}\n" for note in grid.notes if note)])


def _markdown_line(cells: list[str]) -> str:
    return "".join(f"| {escape(cell)} " for cell in cells) + "|\n"


def show_json(sections: Mapping[str, Section], metrics: Metrics) -> dict[str, Any]:
    """Return the figures of one revision by section, as its files have them."""
    return {name: section.read(metrics) for name, section in sections.items()}


def diff_json(
    sections: Mapping[str, Section], old: Metrics, new: Metrics, *, unchanged: bool = False
) -> dict[str, dict[str, Any]]:
    """Return `old`, `new` and `diff` of each figure that changed, by section and key, as `dvc metrics diff` does."""
    return {
        name: _diff_json(flatten(section.read(old)), flatten(section.read(new)), unchanged=unchanged)
        for name, section in sections.items()
    }


def _diff_json(old: Mapping[str, Any], new: Mapping[str, Any], *, unchanged: bool) -> dict[str, Any]:
    pairs = {key: (old.get(key), new.get(key)) for key in dict.fromkeys([*new, *old])}
    return {
        key: {"old": before, "new": after, "diff": _difference(before, after)}
        for key, (before, after) in pairs.items()
        if unchanged or before != after
    }


def _difference(old: Any, new: Any) -> float | None:
    difference: float | None = rounded(new - old) if is_number(old) and is_number(new) else None
    return difference
