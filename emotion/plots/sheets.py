"""Sheets of test images with their predictions."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from emotion.plots.style import DPI, GRID, INK, SOFT, colors_of, fitting_size, new_sheet, styled
from emotion.presentation.formats import percent

PER_SIDE = 5  # right ones, and wrong ones, of each emotion
SMALL = 0.75  # inches, an image's side
LARGE = 1.35
GAP = 0.14
TEXT = 0.42  # inches below an image
NAME_WIDTH = 1.25
PERCENT_WIDTH = 0.4
MISTAKES_ACROSS = 6


@styled
def plot_predictions(images: np.ndarray, predictions: pd.DataFrame, emotions: Sequence[str]) -> Figure:
    """Draw right and wrong predictions of each emotion: right ones over the whole range, the worst wrong ones.

    Args:
        images: (n, height, width, channels), uint8: the test split.
        predictions: one row for each of `images`, with the columns actual, predicted, confidence and correct.
        emotions: the names of the labels, in their order.
    """
    step = SMALL + GAP
    half = PER_SIDE * step
    wrong_left = NAME_WIDTH + half + 0.3
    row_height = SMALL + TEXT + 0.12
    width = wrong_left + half + 0.1
    figure, axes = new_sheet(
        width,
        0.32 + len(emotions) * row_height + 0.1,
        f"{predictions['correct'].sum():,} of {len(predictions):,} test images were read right",
        "A row an actual emotion. Bars: confidence. Right ones from the most to the least confident, wrong ones "
        "with the most confident first.",
    )
    colors = colors_of(emotions)
    axes.text(NAME_WIDTH, 0.2, "right", size=11, weight="bold")
    axes.text(wrong_left, 0.2, "wrong", size=11, weight="bold")
    for row, emotion in enumerate(emotions):
        top = 0.32 + row * row_height
        rows = predictions[predictions["actual"] == emotion]
        right = f"{percent(rows['correct'].mean(), 0)} right" if len(rows) else "no images"
        draw_name(axes, emotion, right, top + SMALL / 2, colors[emotion])
        for left, chosen in (
            (NAME_WIDTH, spread(most_confident(rows[rows["correct"]]), PER_SIDE)),
            (wrong_left, most_confident(rows[~rows["correct"]])[:PER_SIDE]),
        ):
            if not len(chosen):
                axes.text(left, top + SMALL / 2, "none", color=SOFT, va="center")
            for place, index in enumerate(chosen):
                prediction = predictions.loc[index]
                color = colors[prediction["predicted"]]
                _draw_prediction(axes, images[index], prediction, color, left + place * step, top, SMALL)
    return figure


@styled
def plot_mistakes(images: np.ndarray, predictions: pd.DataFrame, emotions: Sequence[str], *, most: int) -> Figure:
    """Draw the mistakes that the network was most confident of, the most confident first.

    Args:
        images: (n, height, width, channels), uint8: the test split.
        predictions: one row for each of `images`, with the columns actual, predicted, confidence and correct.
        emotions: the names of the labels, in their order.
        most: how many at most.
    """
    wrong = predictions[~predictions["correct"]]
    chosen = most_confident(wrong)[:most]
    step, row_height = LARGE + GAP, LARGE + TEXT + 0.14
    rows = -(-len(chosen) // MISTAKES_ACROSS)
    figure, axes = new_sheet(
        0.36 + MISTAKES_ACROSS * step - GAP,
        rows * row_height + 0.1,
        _mistakes_title(len(chosen), len(wrong)),
        "Actual → predicted. Bars: how confident the network was of its wrong answer.",
    )
    colors = colors_of(emotions)
    for place, index in enumerate(chosen):
        prediction = predictions.loc[index]
        color = colors[prediction["predicted"]]
        left = 0.18 + place % MISTAKES_ACROSS * step
        top = place // MISTAKES_ACROSS * row_height
        _draw_prediction(axes, images[index], prediction, color, left, top, LARGE, with_actual=True)
    return figure


def most_confident(predictions: pd.DataFrame) -> np.ndarray:
    """Return the index of `predictions`, the most confident first; equal ones stay in their order."""
    return predictions.index[np.argsort(-predictions["confidence"].to_numpy(), kind="stable")].to_numpy()


def spread(indices: np.ndarray, count: int) -> np.ndarray:
    """Return at most `count` of `indices`, evenly spaced from the first to the last."""
    if len(indices) <= count:
        return indices
    return indices[np.linspace(0, len(indices) - 1, count).round().astype(np.int64)]


def draw_image(axes: Axes, image: np.ndarray, *, left: float, top: float, side: float) -> None:
    """Draw a uint8 image (height, width, channels), its longer side `side` inches, into axes of `new_sheet`."""
    height, width, channels = image.shape
    tall, wide = side * height / max(height, width), side * width / max(height, width)
    values = image[:, :, 0] if channels == 1 else image
    axes.imshow(
        _shrunk(values, (round(tall * DPI), round(wide * DPI))),
        cmap="gray",
        vmin=0,
        vmax=255,
        extent=(left, left + wide, top + tall, top),
        interpolation="bilinear",
        aspect="auto",
    )


def _shrunk(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return an image (height, width, ...) as it is, or in `shape` where it has more pixels than are drawn."""
    if values.shape[0] <= shape[0] and values.shape[1] <= shape[1]:
        return values
    return np.asarray(Image.fromarray(values).resize((shape[1], shape[0]), Image.Resampling.BOX))


def draw_name(axes: Axes, emotion: str, note: str, middle: float, color: str) -> None:
    """Write an emotion's name left of its row, and a note below it; `middle` is the row's height, from above."""
    size = fitting_size(emotion, 11, NAME_WIDTH - 0.18 - GAP, weight="bold")
    axes.text(0.18, middle - 0.02, emotion, size=size, weight="bold", color=color, va="bottom")
    axes.text(0.18, middle + 0.04, note, size=9, color=SOFT, va="top")


def _draw_prediction(
    axes: Axes,
    image: np.ndarray,
    prediction: pd.Series,
    color: str,
    left: float,
    top: float,
    side: float,
    *,
    with_actual: bool = False,
) -> None:
    """Draw an image, and below it the predicted emotion and its confidence, in the color of that emotion."""
    draw_image(axes, image, left=left, top=top, side=side)
    text = f"{prediction['actual']} → {prediction['predicted']}" if with_actual else prediction["predicted"]
    draw_caption(axes, text, prediction["confidence"], color, left=left, top=top + side, width=side)


def draw_caption(
    axes: Axes, text: str, confidence: float, color: str, *, left: float, top: float, width: float
) -> None:
    """Write which emotion was predicted, and below it how confidently, in TEXT inches from `top` on."""
    axes.text(left, top + 0.05, text, size=fitting_size(text, 8.5, width), va="top", color=INK)
    draw_bar(axes, left, top + 0.25, width - PERCENT_WIDTH, confidence, color)
    axes.text(left + width, top + 0.285, percent(confidence, 0), size=8, color=SOFT, ha="right", va="center")


def draw_bar(axes: Axes, left: float, top: float, width: float, share: float, color: str) -> None:
    """Draw a bar that is colored by `share`, 0 to 1, of its width."""
    axes.add_patch(Rectangle((left, top), width, 0.07, facecolor=GRID, linewidth=0))
    axes.add_patch(Rectangle((left, top), width * share, 0.07, facecolor=color, linewidth=0))


def _mistakes_title(shown: int, wrong: int) -> str:
    if not wrong:
        return "No test image was read wrong"
    if shown == wrong:
        return f"All {wrong} mistakes on the test split, the most confident first"
    return f"The {shown} most confident of {wrong:,} mistakes on the test split"
