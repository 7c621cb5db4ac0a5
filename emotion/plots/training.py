"""The plot of the training curves."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from emotion.plots.style import ACCENT, GRID, INK, SOFT, new_figure, styled
from emotion.presentation.formats import number, percent

LINES = {"training": ("", SOFT), "validation": ("val_", ACCENT)}
LEAST_GAP = 0.065  # of the axes' height, between two labels at the ends of lines


@styled
def plot_training(history: pd.DataFrame, best_epoch: int) -> Figure:
    """Draw loss and accuracy by epoch.

    Args:
        history: columns epoch (from 1), size (pixels), loss, accuracy, val_loss, val_accuracy.
        best_epoch: the epoch whose weights were kept.
    """
    best = history[history["epoch"] == best_epoch].iloc[0]
    figure = new_figure(
        10.5,
        3.9,
        f"Best epoch {best_epoch} of {len(history)}: validation accuracy {percent(best['val_accuracy'])}, "
        f"loss {number(best['val_loss'])}",
        "Training figures are taken while images are changed at random and the network is still learning, "
        "so they may lie below validation.",
    )
    for axes, figure_name in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        _draw_figure(axes, history, figure_name, best)
    return figure


def _draw_figure(axes: Axes, history: pd.DataFrame, name: str, best: pd.Series) -> None:
    for prefix, color in LINES.values():
        marker = "o" if len(history) == 1 else None
        axes.plot(history["epoch"], history[prefix + name], color=color, marker=marker)
    axes.plot(best["epoch"], best["val_" + name], "o", color=ACCENT, markersize=8, markeredgecolor="white", zorder=4)
    axes.axvline(best["epoch"], color=ACCENT, linewidth=0.9, linestyle=(0, (4, 3)), alpha=0.7, zorder=1)
    axes.set_title(name.capitalize())
    axes.set_xlabel("epoch")
    axes.margins(x=0.02, y=0.12)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))
    if name == "accuracy":
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, place: f"{100 * share:.4g} %"))
    _mark_sizes(axes, history)
    _label_ends(axes, history, name)


def _mark_sizes(axes: Axes, history: pd.DataFrame) -> None:
    """Shade every second run of epochs, where training went from one image size to another."""
    runs = (history["size"] != history["size"].shift()).cumsum()
    if runs.iloc[-1] == 1:
        return
    for run, rows in history.groupby(runs):
        first, last = rows["epoch"].iloc[0] - 0.5, rows["epoch"].iloc[-1] + 0.5
        if int(str(run)) % 2:
            axes.axvspan(first, last, color=GRID, alpha=0.45, linewidth=0, zorder=0)
        axes.annotate(
            f"{rows['size'].iloc[0]} px",
            ((first + last) / 2, 0.015),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            size=8,
            color=SOFT,
        )
    axes.set_xlim(history["epoch"].min() - 0.5, history["epoch"].max() + 0.5)


def _label_ends(axes: Axes, history: pd.DataFrame, name: str) -> None:
    """Write each line's name at its right end, moved apart where they would touch."""
    low, high = axes.get_ylim()
    heights = {label: (history[prefix + name].iloc[-1] - low) / (high - low) for label, (prefix, _) in LINES.items()}
    lower, upper = sorted(heights, key=lambda label: heights[label])
    missing = LEAST_GAP - (heights[upper] - heights[lower])
    if missing > 0:
        heights[lower] -= missing / 2
        heights[upper] += missing / 2
    for label, (_, color) in LINES.items():
        axes.annotate(
            label,
            (1, heights[label]),
            xycoords="axes fraction",
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=INK if color == SOFT else color,
            weight="bold" if color == ACCENT else "normal",
            annotation_clip=False,
        )
