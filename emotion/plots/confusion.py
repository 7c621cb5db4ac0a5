"""The confusion matrix: the emotion of each image against the predicted one."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion.evaluation.metrics import count_confusion
from emotion.plots.style import INK, new_figure, styled
from emotion.presentation.formats import figure_text, percent

COLOR_MAP = "Blues"
LETTER_WIDTH = 0.075  # inches, of a name's letter on average, on the safe side
SHORT_NAME_WIDTH = 0.6  # inches left of a matrix, for names of usual length
DARK = 0.55  # share of the color map's range above which letters are white


@styled
def plot_confusion(
    predictions: pd.DataFrame,
    emotions: Sequence[str],
    figures: Mapping[str, Any],
    threshold: float | None = None,
    where: str = "on the test split",
) -> Figure:
    """Draw the confusion matrix twice: counts, and shares of each actual emotion.

    Args:
        predictions: one row per image, with the columns actual and predicted.
        emotions: the names of the labels, in their order.
        figures: accuracy, accuracy_low and accuracy_high of the same images.
        threshold: of two emotions, the probability above which the second one was predicted.
        where: ends the title, and names the images.
    """
    counts = count_confusion(
        predictions["actual"].map(list(emotions).index).to_numpy(dtype=np.int64),
        predictions["predicted"].map(list(emotions).index).to_numpy(dtype=np.int64),
        len(emotions),
    )
    support = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, support, out=np.full(counts.shape, np.nan), where=support > 0)
    side = max(2.6, 0.64 * len(emotions))
    longest = LETTER_WIDTH * max(map(len, emotions))
    slanted = longest > side / len(emotions)
    figure = new_figure(
        2 * side + 1.9 + 2 * max(0.0, longest - SHORT_NAME_WIDTH),
        side + 0.85 + slanted * longest / 2,
        f"Accuracy {where} {figure_text(figures, 'accuracy')}",
        f"{len(predictions):,} images; in brackets the 95 % bootstrap interval. {_describe_worst(shares, emotions)}"
        + ("" if threshold is None else f" Read as {emotions[1]} above a probability of {threshold:.3g}."),
    )
    left, right = figure.subplots(1, 2)
    _draw_matrix(left, counts, [[f"{count:,}" for count in row] for row in counts], emotions, counts.max())
    left.set_title("Images")
    left.set_ylabel("actual")
    _draw_matrix(
        right, shares, [[percent(share, 0).removesuffix(" %") for share in row] for row in shares], emotions, 1.0
    )
    right.set_title("Per cent of each actual emotion")
    if slanted:
        for axes in (left, right):
            axes.tick_params(axis="x", labelrotation=30)
            for label in axes.get_xticklabels():
                label.set(ha="right", rotation_mode="anchor")
    return figure


def _describe_worst(shares: np.ndarray, emotions: Sequence[str]) -> str:
    """Return a sentence: which emotion is most often predicted in place of which."""
    mistakes = np.nan_to_num(shares * (1 - np.eye(len(emotions))))
    actual, predicted = divmod(int(np.argmax(mistakes)), len(emotions))
    if not mistakes.max() > 0:
        return "No image was read wrong."
    return f"Most often mixed up: {percent(mistakes.max(), 0)} of {emotions[actual]} read as {emotions[predicted]}."


def _draw_matrix(
    axes: Axes, values: np.ndarray, texts: Sequence[Sequence[str]], emotions: Sequence[str], most: float
) -> None:
    axes.imshow(np.nan_to_num(values), cmap=COLOR_MAP, vmin=0, vmax=max(most, 1e-9))
    places = range(len(emotions))
    for row in places:
        for column in places:
            axes.text(
                column,
                row,
                texts[row][column],
                ha="center",
                va="center",
                size=10,
                color="white" if np.nan_to_num(values[row, column]) > DARK * most else INK,
                weight="bold" if row == column else "normal",
            )
    axes.set_xticks(places, emotions)
    axes.set_yticks(places, emotions)
    axes.tick_params(length=0, labelcolor=INK, labelsize=8.5)
    axes.set_xlabel("predicted")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    # White lines between the cells
    axes.set_xticks(np.arange(len(emotions) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(emotions) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
