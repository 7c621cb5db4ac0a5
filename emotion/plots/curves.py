"""ROC, precision-recall and reliability, one panel per emotion."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from emotion.evaluation.metrics import count_confusion, mean_of_known, precision, predicted_labels, recall
from emotion.plots.style import (
    INK,
    PALE,
    SOFT,
    colors_of,
    fitting_size,
    grid_shape,
    new_figure,
    styled,
)
from emotion.presentation.formats import MISSING, number, to_points

PANEL_WIDTH = 2.65  # inches
PANEL_HEIGHT = 2.95
PANEL_NAME_WIDTH = 1.55  # inches of the panel's; a figure stands right of it
BACKGROUND = "#dedede"
LARGEST_DOT = 130  # square points
FEWEST_IMAGES = 5  # in a bin, to get a dot


def find_points(predictions: pd.DataFrame, emotions: Sequence[str], thresholds: dict[str, Any]) -> pd.DataFrame:
    """Return where on the curves of two emotions the thresholds lie.

    Args:
        predictions: one row per image, with the column actual, and the probabilities of the second emotion.
        emotions: the two names, in label order.
        thresholds: `used` and `validation_choice`. Where they are the same there is one point per emotion.

    Returns:
        Columns emotion, name (which threshold), hollow (whether it is not the one in use), false_positive_rate,
        recall and precision; NaN where these have no value.
    """
    used, choice = thresholds["used"], thresholds["validation_choice"]
    names = {used: f"threshold in use, {used:.3g}"}
    names.setdefault(choice, f"validation's choice, {choice:.3g}")
    y_true = (predictions["actual"] == emotions[1]).to_numpy(dtype=np.int64)
    second = predictions[emotions[1]].to_numpy()
    rows = []
    for threshold, name in names.items():
        y_pred = predicted_labels(np.stack([1 - second, second], axis=1), threshold)
        confusion = count_confusion(y_true, y_pred, 2)
        recalls, precisions = recall(confusion), precision(confusion)
        rows += [
            (emotion, name, threshold != used, 1 - recalls[1 - label], recalls[label], precisions[label])
            for label, emotion in enumerate(emotions)
        ]
    columns = ["emotion", "name", "hollow", "false_positive_rate", "recall", "precision"]
    return pd.DataFrame(rows, columns=columns)


@styled
def plot_roc(curves: pd.DataFrame, by_class: dict[str, dict[str, Any]], points: pd.DataFrame | None = None) -> Figure:
    """Draw the ROC curve of each emotion against all others.

    Args:
        curves: columns emotion, false_positive_rate, true_positive_rate.
        by_class: for each emotion, in label order, its roc_auc or None.
        points: where thresholds lie, from `find_points`.
    """
    mean = _mean(by_class, "roc_auc")
    return _plot_by_class(
        curves,
        by_class,
        columns=("false_positive_rate", "true_positive_rate"),
        labels=("share of the others taken for it", "share of its images found"),
        title=f"ROC: mean area under the curve {number(mean)}",
        subtitle="Test split, each emotion against all others. The number is the area: 0.5 is guessing, 1 is perfect.",
        value=lambda emotion: number(by_class[emotion]["roc_auc"]),
        mean=number(mean),
        guess=lambda emotion: ((0, 1), (0, 1)),
        steps="default",
        points=None if points is None else points.rename(columns={"recall": "true_positive_rate"}),
    )


@styled
def plot_precision_recall(
    curves: pd.DataFrame, by_class: dict[str, dict[str, Any]], points: pd.DataFrame | None = None
) -> Figure:
    """Draw precision against recall of each emotion.

    Args:
        curves: columns emotion, recall, precision.
        by_class: for each emotion, in label order, its support, and its average_precision or None.
        points: where thresholds lie, from `find_points`.
    """
    mean = _mean(by_class, "average_precision")
    images = sum(figures["support"] for figures in by_class.values())
    ends = curves.groupby("emotion", sort=False).tail(1).assign(recall=0.0)  # the last step reaches down to recall 0
    return _plot_by_class(
        pd.concat([curves, ends]),
        by_class,
        columns=("recall", "precision"),
        labels=("recall", "precision"),
        title=f"Precision and recall: mean average precision {number(mean)}",
        subtitle="Test split, each emotion against all others. The number is the average precision; dashed: guessing.",
        value=lambda emotion: number(by_class[emotion]["average_precision"]),
        mean=number(mean),
        guess=lambda emotion: ((0, 1), (by_class[emotion]["support"] / images,) * 2),
        steps="steps-post",
        points=points,
    )


def _plot_by_class(
    curves: pd.DataFrame,
    by_class: dict[str, dict[str, Any]],
    *,
    columns: tuple[str, str],
    labels: tuple[str, str],
    title: str,
    subtitle: str,
    value: Callable[[str], str],
    mean: str,
    guess: Callable[[str], tuple[tuple[float, float], tuple[float, float]]],
    steps: str,
    points: pd.DataFrame | None,
) -> Figure:
    """Draw a panel with all curves, then one per emotion with the others behind it in gray."""
    colors = colors_of(list(by_class))
    figure, panels = _panel_figure(list(by_class), title, subtitle, labels)
    lines = {str(emotion): rows[list(columns)].to_numpy().T for emotion, rows in curves.groupby("emotion", sort=False)}
    for emotion, line in lines.items():
        panels[0].plot(*line, color=colors[emotion], linewidth=1.4, drawstyle=steps)
    _name_panel(panels[0], "all emotions", mean, INK)
    for axes, emotion in zip(panels[1:], by_class, strict=True):
        _name_panel(axes, emotion, value(emotion), colors[emotion])
        if emotion not in lines:
            _mark_absent(axes)
            continue
        axes.plot(*guess(emotion), color=PALE, linewidth=1, linestyle=(0, (4, 3)))
        for line in lines.values():
            axes.plot(*line, color=BACKGROUND, linewidth=0.8, drawstyle=steps)
        axes.plot(*lines[emotion], color=colors[emotion], linewidth=2.4, drawstyle=steps)
        if points is not None:
            _draw_points(axes, points[points["emotion"] == emotion], columns, colors[emotion])
    if points is not None:
        _explain_points(panels[0], points)
    return figure


def _draw_points(axes: Axes, points: pd.DataFrame, columns: tuple[str, str], color: str) -> None:
    x, y = columns
    for point in points.to_dict("records"):
        face, edge = ("white", color) if point["hollow"] else (color, "white")
        axes.plot(
            point[x], point[y], "o", markersize=8, color=face, markeredgecolor=edge, markeredgewidth=1.6, zorder=4
        )


def _explain_points(axes: Axes, points: pd.DataFrame) -> None:
    """Write in the first panel which dot is which threshold."""
    marks = [
        Line2D([], [], color=INK, linestyle="", marker="o", markerfacecolor="white" if hollow else INK, label=name)
        for name, hollow in points[["name", "hollow"]].drop_duplicates().itertuples(index=False)
    ]
    axes.legend(handles=marks, loc="lower center", frameon=False, labelcolor=SOFT, fontsize=8, handletextpad=0.2)


@styled
def plot_reliability(rows: pd.DataFrame, emotions: Sequence[str], temperature: float) -> Figure:
    """Draw how often predictions were right by how confident they were, before and after calibration.

    In the panel of all emotions the most probable one counts as predicted, whatever the threshold of two.

    Args:
        rows: columns calibration (raw, temperature), emotion (or `all`), confidence, accuracy, images.
        emotions: the names of the labels, in their order.
        temperature: the one that was fitted on validation.
    """
    colors = {"all": INK} | colors_of(emotions)
    everything = rows[rows["emotion"] == "all"]
    raw, calibrated = _gap(everything, "raw"), _gap(everything, "temperature")
    figure, panels = _panel_figure(
        emotions,
        f"Confidence is off by {to_points(raw)} points on average, by {to_points(calibrated)} once calibrated",
        f"Expected calibration error on the test split, in percentage points, before and after temperature "
        f"{temperature:.2f}, fitted on validation. On the dashed line confidence is right, below it too high. "
        f"Larger dots: more images; dots for fewer than {FEWEST_IMAGES} are left out.",
        ("confidence", "share that was right"),
    )
    for axes, name in zip(panels, ["all", *emotions], strict=True):
        chosen = rows[rows["emotion"] == name]
        gaps = (
            f"{to_points(_gap(chosen, 'raw'))} → {to_points(_gap(chosen, 'temperature'))}" if len(chosen) else MISSING
        )
        _name_panel(axes, "all emotions" if name == "all" else name, gaps, colors[name])
        axes.plot((0, 1), (0, 1), color=PALE, linewidth=1, linestyle=(0, (4, 3)))
        if len(chosen):
            _draw_reliability(axes, chosen, colors[name])
        else:
            _mark_absent(axes)
    panels[0].legend(
        handles=[
            Line2D([], [], color=PALE, marker="o", markerfacecolor="white", label="before"),
            Line2D([], [], color=INK, marker="o", label="after"),
        ],
        loc="upper left",
        frameon=False,
        labelcolor=SOFT,
        fontsize=8.5,
        borderaxespad=0.1,
    )
    return figure


def _draw_reliability(axes: Axes, rows: pd.DataFrame, color: str) -> None:
    enough = rows[rows["images"] >= FEWEST_IMAGES]
    raw, calibrated = (enough[enough["calibration"] == name] for name in ("raw", "temperature"))
    axes.plot(raw["confidence"], raw["accuracy"], color=PALE, linewidth=1.2)
    axes.scatter(
        raw["confidence"],
        raw["accuracy"],
        s=_dots(raw),
        color="white",
        edgecolor=SOFT,
        linewidth=0.8,
        zorder=3,
        clip_on=False,
    )
    axes.plot(calibrated["confidence"], calibrated["accuracy"], color=color, linewidth=1.8)
    axes.scatter(
        calibrated["confidence"],
        calibrated["accuracy"],
        s=_dots(calibrated),
        color=color,
        linewidth=0,
        zorder=4,
        clip_on=False,
    )


def _dots(rows: pd.DataFrame) -> np.ndarray:
    """Return dot areas in square points: by images, but none too small to see."""
    shares = rows["images"].to_numpy() / rows["images"].sum()
    return 9 + (LARGEST_DOT - 9) * np.sqrt(shares) ** 1.5


def _gap(rows: pd.DataFrame, calibration: str) -> float:
    """Return the mean gap between confidence and accuracy over the images of these bins."""
    chosen = rows[rows["calibration"] == calibration]
    gaps = (chosen["confidence"] - chosen["accuracy"]).abs() * chosen["images"]
    return float(gaps.sum() / chosen["images"].sum())


def _panel_figure(
    emotions: Sequence[str], title: str, subtitle: str, labels: tuple[str, str]
) -> tuple[Figure, list[Axes]]:
    """Return a figure and its panels: one for all emotions, then one for each; all from 0 to 1."""
    rows, columns = grid_shape(len(emotions) + 1)
    figure = new_figure(columns * PANEL_WIDTH + 0.7, rows * PANEL_HEIGHT + 0.3, title, subtitle)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    panels = list(grid.flat)
    for empty in panels[len(emotions) + 1 :]:
        empty.set_axis_off()
    for axes in panels:
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    panels = panels[: len(emotions) + 1]
    for axes in panels[::columns]:
        axes.set_ylabel(labels[1])
    for axes in panels[-columns:]:
        axes.set_xlabel(labels[0])
        axes.tick_params(labelbottom=True)
    return figure, panels


def _name_panel(axes: Axes, name: str, value: str, color: str) -> None:
    axes.set_title(name, color=color, loc="left", size=fitting_size(name, 11, PANEL_NAME_WIDTH, weight="bold"))
    axes.set_title(value, color=SOFT, loc="right", size=9.5, weight="normal")


def _mark_absent(axes: Axes) -> None:
    axes.text(0.5, 0.5, "no test images", ha="center", va="center", color=SOFT, size=9)


def _mean(by_class: dict[str, dict[str, Any]], name: str) -> float:
    return float(mean_of_known(np.array([figures[name] for figures in by_class.values()], dtype=float)))
