"""Plots of the data set: its class balance, and a sheet of its images."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion.data.table import COPY, DROPPED, GROUP, NEAR_COPY
from emotion.plots.sheets import draw_image, draw_name, spread
from emotion.plots.style import INK, SOFT, colors_of, new_figure, new_sheet, styled
from emotion.presentation.formats import MISSING, percent

SPLIT_TITLES = {"train": "Training", "val": "Validation", "test": "Test"}
LINK_NAMES = {COPY: "copies", NEAR_COPY: "near copies", GROUP: "groups"}
LEFT_OUT_ALPHA = 0.3
MOST_ACROSS = 12  # images in a line of the sheet
CELL = 0.78  # inches


@styled
def plot_class_balance(table: pd.DataFrame, emotions: Sequence[str]) -> Figure:
    """Draw how many images of each emotion each split holds.

    Args:
        table: one row per image, with the columns emotion, split, and excluded (empty for an image in use).
        emotions: the names of the labels, in their order.
    """
    known = table[table["emotion"].isin(list(emotions))]
    used = _count_by_split(known[known["excluded"] == ""], emotions)
    left_out = _count_by_split(known[known["excluded"] != ""], emotions)
    figure = new_figure(
        10.5,
        0.36 * len(emotions) + 1.15,
        f"{used.to_numpy().sum():,} images in use: {_imbalance(used['train'])}",
        "Images in use, and their share of the split."
        + (
            f" Pale: {left_out.to_numpy().sum():,} left out ({_describe_left_out(known)})."
            if left_out.any(axis=None)
            else ""
        ),
    )
    panels = figure.subplots(1, len(SPLIT_TITLES), sharey=True)
    for axes, (split, title) in zip(panels, SPLIT_TITLES.items(), strict=True):
        _draw_split(axes, used[split], left_out[split])
        axes.set_title(f"{title}: {used[split].sum():,}")
    panels[0].invert_yaxis()
    panels[0].set_yticks(range(len(emotions)), emotions)
    return figure


def _count_by_split(table: pd.DataFrame, emotions: Sequence[str]) -> pd.DataFrame:
    """Return images by emotion (down) and split (across), zeros among them."""
    counts = table.groupby(["emotion", "split"]).size().unstack(fill_value=0)
    return counts.reindex(index=list(emotions), columns=list(SPLIT_TITLES), fill_value=0)


def _describe_left_out(table: pd.DataFrame) -> str:
    """Return what leaves images out: `copies or groups of validation or test images, dropped images`."""
    reasons = table["excluded"].unique()
    names = [name for link, name in LINK_NAMES.items() if any(reason.startswith(f"{link} of") for reason in reasons)]
    linked = [f"{' or '.join(names)} of validation or test images"] if names else []
    return ", ".join([*linked, *(["dropped images"] if DROPPED in reasons else [])])


def _imbalance(counts: pd.Series) -> str:
    if not counts.min():
        return f"training has none of {', '.join(counts.index[counts == 0])}"
    most, least = counts.idxmax(), counts.idxmin()
    times = counts.max() / counts.min()
    if times < 1.1:
        return "every emotion about as common as the others"
    return f"in training, {most} is {times:.1f} times as common as {least}"


def _draw_split(axes: Axes, used: pd.Series, left_out: pd.Series) -> None:
    colors = list(colors_of(used.index.tolist()).values())
    places = np.arange(len(used))
    axes.barh(places, used, color=colors, height=0.72)
    axes.barh(places, left_out, left=used, color=colors, alpha=LEFT_OUT_ALPHA, height=0.72)
    ends = (used + left_out).to_numpy()
    axes.set_xlim(0, max(ends.max(), 1) * 1.62)
    for place, count, end in zip(places, used, ends, strict=True):
        share = percent(count / used.sum()) if used.sum() else MISSING
        axes.annotate(
            f"{count:,}",
            (end, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            size=9,
        )
        axes.annotate(
            share, (1, place), xycoords=("axes fraction", "data"), ha="right", va="center", size=9, color=SOFT
        )
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.tick_params(length=0, labelcolor=INK, labelsize=10)


@styled
def plot_images(images: np.ndarray, labels: np.ndarray, emotions: Sequence[str], *, per_class: int) -> Figure:
    """Draw a sheet with some images of each emotion, evenly spaced through the split.

    Args:
        images: (n, height, width, channels), uint8, as the network gets them.
        labels: (n,) integers.
        emotions: the names of the labels, in their order.
        per_class: how many images of each at most.
    """
    lines = -(-per_class // MOST_ACROSS)
    across = -(-per_class // lines)
    name_width, row_height = 1.25, lines * CELL + 0.1
    width = max(7.5, name_width + across * CELL + 0.35)
    height, wide, channels = images.shape[1:]
    figure, axes = new_sheet(
        width,
        len(emotions) * row_height + 0.15,
        "Training images, as the network gets them",
        f"{wide} x {height} pixels, {'grayscale' if channels == 1 else 'color'}, before random changes; "
        "evenly spaced through each emotion.",
    )
    colors = colors_of(emotions)
    for row, emotion in enumerate(emotions):
        members = np.flatnonzero(labels == row)
        top = row * row_height
        draw_name(axes, emotion, f"{len(members):,}", top + lines * CELL / 2, colors[emotion])
        for place, member in enumerate(spread(members, per_class)):
            draw_image(
                axes,
                images[member],
                left=name_width + place % across * CELL,
                top=top + place // across * CELL,
                side=CELL - 0.05,
            )
    return figure
