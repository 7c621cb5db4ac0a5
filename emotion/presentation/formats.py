"""Formats of numbers, the same in plots, tables, cards and messages."""

import math
from collections.abc import Mapping
from typing import Any

MISSING = "\N{EN DASH}"
"""Text for a figure without a value."""


def percent(share: float | None, decimals: int = 1) -> str:
    """Return a share as percent, such as 0.784 as `78.4 %`; None and NaN as a dash."""
    return MISSING if share is None or math.isnan(share) else f"{100 * share:.{decimals}f} %"


def number(value: float | None, decimals: int = 3) -> str:
    """Return a number with separators of thousands: 0.9312 as `0.931`, 35887 with no decimals as `35,887`.

    None and NaN give a dash.
    """
    return MISSING if value is None or math.isnan(value) else f"{value:,.{decimals}f}"


def millions(value: float, decimals: int = 1) -> str:
    """Return a number in millions, such as 12423616 as `12.4`."""
    return number(value / 1e6, decimals)


def to_points(difference: float | None) -> str:
    """Return a difference of shares in percentage points, such as 0.0213 as `2.1`; None and NaN as a dash."""
    return MISSING if difference is None or math.isnan(difference) else f"{100 * difference:.1f}"


def gap_text(gap: Mapping[str, Any]) -> str:
    """Return the largest gap of accuracy: `female over male by 4.1 points (0.3 to 7.8), by chance up to 3.9`.

    Args:
        gap: as `emotion.evaluation.groups.find_largest_gap` returns it.
    """
    name = "accuracy_difference"
    difference, low, high, chance = (to_points(gap[name + end]) for end in ("", "_low", "_high", "_by_chance"))
    interval = "" if low == MISSING else f" ({low} to {high})"
    return f"{gap['higher']} over {gap['lower']} by {difference} points{interval}, by chance up to {chance}"


def figure_text(scores: Mapping[str, Any], name: str) -> str:
    """Return a score with its interval where it has one: `68.8 % (67.3 to 70.3)`.

    Args:
        scores: the score under `name`, and the ends of its interval, if any, under `name`_low and `name`_high.
        name: the name of the score. A score with `accuracy` in its name is written in percent.
    """
    write, unit = (percent, " %") if "accuracy" in name else (number, "")
    low, high = scores.get(f"{name}_low"), scores.get(f"{name}_high")
    interval = "" if low is None else f" ({write(low).removesuffix(unit)} to {write(high).removesuffix(unit)})"
    return write(scores[name]) + interval
