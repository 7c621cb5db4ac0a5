"""Figures of `emotion metrics`: values of the metrics files with their units, as texts, and their changes."""

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple, TypeGuard

from emotion.presentation.formats import number, percent

Content = Mapping[str, Any]

SHARES = ("accuracy", "agreement")
"""Ends of the keys whose figures are written in percent."""

INTERVAL_ENDS = ("_low", "_high")
LONGEST_TEXT = 16
"""Characters of a text, such as the checksum of the data set, that a table shows."""

MISSING = "-"


class Unit(Enum):
    """The unit of a figure, which decides how it is written."""

    COUNT = "count"
    NUMBER = "number"
    PERCENT = "percent"
    TEXT = "text"


class Cell(NamedTuple):
    """A figure with its unit, and the ends of its interval where it has one."""

    value: float | str | None
    unit: Unit
    interval: tuple[float, float] | None = None


def make_cell(content: Content, key: str) -> Cell:
    """Return the figure at `key` with its unit and interval; a list, an object or a truth value as text."""
    value = content[key]
    if not (value is None or isinstance(value, str) or is_number(value)):
        return Cell(json.dumps(value, ensure_ascii=False), Unit.TEXT)
    low, high = (content.get(f"{key}{end}") for end in INTERVAL_ENDS)
    return Cell(value, _unit(key, value), (low, high) if is_number(low) and is_number(high) else None)


def _unit(key: str, value: Any) -> Unit:
    if key.endswith(SHARES):
        return Unit.PERCENT
    if isinstance(value, int):
        return Unit.COUNT
    return Unit.TEXT if isinstance(value, str) else Unit.NUMBER


def find_figures(content: Content) -> Iterator[str]:
    """Yield the keys of the figures in `content`; the ends of their intervals are none."""
    return (key for key in content if not key.endswith(INTERVAL_ENDS))


def value_text(cell: Cell | None, *, fine: bool = False) -> str:
    """Return a figure as a table has it, `-` where it is missing; `fine` adds a decimal, to show small changes."""
    if cell is None or cell.value is None:
        return MISSING
    if isinstance(cell.value, str):
        return cell.value[:LONGEST_TEXT]
    if cell.interval is None:
        return _write(cell.value, cell.unit, fine)
    low, high = (_write(end, cell.unit, fine).removesuffix(" %") for end in cell.interval)
    return f"{_write(cell.value, cell.unit, fine)} ({low} to {high})"


def _write(value: float, unit: Unit, fine: bool) -> str:
    if unit is Unit.PERCENT:
        return percent(value, 2 if fine else 1)
    return number(value, 0 if unit is Unit.COUNT else 4 if fine else 3)


def change_text(old: Cell | None, new: Cell | None) -> str:
    """Return the change from `old` to `new` with its sign; shares differ by percentage points."""
    if old is None or new is None or not is_number(old.value) or not is_number(new.value):
        return MISSING
    change = new.value - old.value
    if new.unit is Unit.PERCENT:
        return f"{100 * change:+.2f} points"
    return f"{change:+,.0f}" if new.unit is old.unit is Unit.COUNT else f"{change:+,.4f}"


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether `value` is a number, and no truth value."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
