"""Accuracy by group, one panel per column of `evaluate.groups`."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion.plots.style import ACCENT, INK, PALE, SOFT, fitting_size, new_figure, styled
from emotion.presentation.formats import gap_text, number, percent

WIDTH, ROW_HEIGHT, PANEL_HEIGHT = 9.5, 0.34, 0.62  # inches
NAME_WIDTH = 1.7  # inches of the name of a column or value
GAP_WIDTH = 4.6  # inches of the sentence on the largest gap
ROOM = 0.03  # of accuracy, left and right of all intervals


@styled
def plot_groups(groups: Mapping[str, Any], figures: Mapping[str, Any]) -> Figure:
    """Draw the accuracy of each group with its interval, and that of all images as a line.

    Args:
        groups: the figures by column, as `group_figures` returns them. Without columns the figure says so.
        figures: accuracy of all images, and `groups`, the number of persons or sequences, where there are some.
    """
    if not groups:
        return new_figure(
            WIDTH,
            0.3,
            "Errors by group: no column is named",
            "evaluate.groups in params.yaml names columns of the table, such as sex or age_group of a manifest. "
            "Their groups are then compared here.",
        )
    rows = [len(column["values"]) for column in groups.values()]
    drawn = "persons or sequences" if "groups" in figures else "images"
    figure = new_figure(
        WIDTH,
        ROW_HEIGHT * sum(rows) + PANEL_HEIGHT * len(rows) + 0.4,
        f"Accuracy by group: {percent(figures['accuracy'])} over all images",
        f"Test split. Lines: 95 % intervals by bootstrap over {drawn}. Dashed: all images. Small groups are not "
        "scored. By chance: in 19 of 20 samples the largest gap between groups of equal accuracy is smaller.",
    )
    panels = figure.subplots(len(rows), 1, sharex=True, squeeze=False, height_ratios=[count + 0.6 for count in rows])
    for axes, (name, column) in zip(panels.flat, groups.items(), strict=True):
        _draw_column(axes, column["values"], figures["accuracy"])
        gap = column["largest_gap"]
        said = "fewer than two groups are scored" if gap is None else gap_text(gap)
        axes.set_title(name, size=fitting_size(name, 11, NAME_WIDTH, weight="bold"))
        axes.set_title(said, loc="right", color=SOFT, size=fitting_size(said, 9.5, GAP_WIDTH), weight="normal")
    panels[-1, 0].set_xlim(*_limits(groups, figures["accuracy"]))
    panels[-1, 0].xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    panels[-1, 0].set_xlabel("accuracy")
    return figure


def _draw_column(axes: Axes, values: Mapping[str, Any], overall: float) -> None:
    axes.axvline(overall, color=PALE, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    for place, scores in enumerate(values.values()):
        right = f"{number(scores['images'], 0)} images"
        if "accuracy" not in scores:
            right += ", not scored"
        else:
            _draw_interval(axes, place, scores)
        axes.annotate(
            right,
            (1.01, place),
            xycoords=("axes fraction", "data"),
            va="center",
            color=SOFT,
            size=9,
            annotation_clip=False,
        )
    axes.set_ylim(len(values) - 0.5, -0.65)
    axes.set_yticks(range(len(values)), list(values))
    for label, value in zip(axes.get_yticklabels(), values, strict=True):
        label.set_fontsize(fitting_size(value, 10, NAME_WIDTH))
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, labelcolor=INK)


def _draw_interval(axes: Axes, place: int, scores: Mapping[str, Any]) -> None:
    if scores["accuracy_low"] is not None:
        axes.plot((scores["accuracy_low"], scores["accuracy_high"]), (place, place), color=ACCENT, linewidth=2.2)
    axes.plot(scores["accuracy"], place, "o", color=ACCENT, markersize=7, markeredgecolor="white", clip_on=False)
    axes.annotate(
        percent(scores["accuracy"]),
        (scores["accuracy"], place),
        xytext=(0, 7),
        textcoords="offset points",
        ha="center",
        size=8.5,
        color=INK,
    )


def _limits(groups: Mapping[str, Any], overall: float) -> tuple[float, float]:
    """Return the ends of the axis: all intervals and the accuracy of all images lie between them."""
    names = ("accuracy", "accuracy_low", "accuracy_high")
    scores = [scores.get(name) for column in groups.values() for scores in column["values"].values() for name in names]
    known = [overall, *(score for score in scores if score is not None)]
    return max(-ROOM, min(known) - ROOM), min(1 + ROOM, max(known) + ROOM)
