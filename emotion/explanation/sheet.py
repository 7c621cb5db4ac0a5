"""Heat over images that shows where a network looked, for the test split and for the faces of one image."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from emotion.plots.sheets import (
    GAP,
    NAME_WIDTH,
    PERCENT_WIDTH,
    SMALL,
    TEXT,
    draw_bar,
    draw_caption,
    draw_image,
    draw_name,
    most_confident,
)
from emotion.plots.style import INK, SOFT, colors_of, new_sheet, styled
from emotion.presentation.formats import percent

HEAT_COLORS = "inferno"
STRONGEST = 0.75
"""The share of the image that the warmest place hides, 0 to 1. The coldest place hides nothing."""

KEY_WIDTH = 0.9  # inches, of the strip of colors from cold to warm

SIDE = 1.9  # inches, of a face
IMAGE = 3.2  # inches, of the longer side of the whole image
BAR_NAMES = 0.85
BARS = 1.3
BAR_STEP = 0.22
BOX_WIDTH = 1.6  # points


@dataclass(frozen=True)
class ExplainedFace:
    """A face, the emotion predicted for it, and where it speaks for that.

    Attributes:
        box: x, y, width and height in pixels of the image.
        crop: uint8 (size, size, channels), as the model saw it.
        probabilities: (classes,), in the order of the model's emotions.
        emotion: the predicted one.
        heat: by emotion, float (size, size) from 0 to 1.
    """

    box: tuple[int, int, int, int]
    crop: np.ndarray
    probabilities: np.ndarray
    emotion: str
    heat: Mapping[str, np.ndarray]


def overlay(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Return `image`, uint8 (height, width, 1 or 3), under the colors of `heat`, (height, width) from 0 to 1.

    Returns:
        uint8 (height, width, 3). Where it is cold, the image is as it was; the warmer, the less of it shows.
    """
    colors = 255 * matplotlib.colormaps[HEAT_COLORS](heat)[:, :, :3]
    weight = STRONGEST * heat[:, :, None]
    mixed: np.ndarray = np.rint(image * (1 - weight) + colors * weight)
    return mixed.astype(np.uint8)


def choose_explained(predictions: pd.DataFrame, emotions: Sequence[str], count: int) -> np.ndarray:
    """Return which rows of `predictions` the sheet shows: of each emotion the most confident right and wrong ones.

    Args:
        predictions: one row per image, with the columns actual, confidence and correct.
        emotions: the names of the labels, in their order.
        count: how many right ones, and how many wrong ones, of each actual emotion at most.

    Returns:
        Their index, first right then wrong ones of each emotion, the most confident first.
    """
    parts = [_chosen(predictions, emotion, right)[:count] for emotion in emotions for right in (True, False)]
    return np.concatenate(parts)


def _chosen(predictions: pd.DataFrame, emotion: str, right: bool) -> np.ndarray:
    rows = predictions[(predictions["actual"] == emotion) & (predictions["correct"] == right)]
    return most_confident(rows)


@styled
def plot_explanations(
    images: np.ndarray, heat: np.ndarray, predictions: pd.DataFrame, emotions: Sequence[str], *, count: int
) -> Figure:
    """Draw images that were read right and wrong, each beside what spoke for the emotion that was predicted.

    Args:
        images: uint8 (n, height, width, channels).
        heat: (n, height, width), from 0 to 1: what spoke for the predicted emotion of each image.
        predictions: one row for each of `images`, with the columns actual, predicted, confidence and correct.
        emotions: the names of the labels, in their order.
        count: how many right ones, and how many wrong ones, have room in each row.
    """
    step = 2 * SMALL + 2 * GAP
    wrong_left = NAME_WIDTH + count * step + 0.2
    row_height = SMALL + TEXT + 0.12
    width = max(wrong_left + count * step, NAME_WIDTH + 5.2)
    figure, axes = new_sheet(
        width,
        0.32 + len(emotions) * row_height + 0.1,
        "What the network looked at",
        "A row an actual emotion: the test images that were read right and wrong with the most confidence (bars). "
        "Beside each what speaks in it for the emotion below, by Grad-CAM.",
    )
    _draw_key(axes, width - 0.18, 0.15)
    colors = colors_of(emotions)
    axes.text(NAME_WIDTH, 0.2, "right", size=11, weight="bold")
    axes.text(wrong_left, 0.2, "wrong", size=11, weight="bold")
    for row, emotion in enumerate(emotions):
        top = 0.32 + row * row_height
        draw_name(axes, emotion, "", top + SMALL / 2, colors[emotion])
        for left, right in ((NAME_WIDTH, True), (wrong_left, False)):
            chosen = _chosen(predictions, emotion, right)[:count]
            if not len(chosen):
                axes.text(left, top + SMALL / 2, "none", color=SOFT, va="center")
            for place, index in enumerate(chosen):
                number = predictions.index.get_loc(index)
                pair = images[number], overlay(images[number], heat[number])
                _draw_pair(axes, pair, predictions.loc[index], colors, left + place * step, top)
    return figure


def _draw_pair(
    axes: Axes,
    pair: tuple[np.ndarray, np.ndarray],
    prediction: pd.Series,
    colors: Mapping[str, str],
    left: float,
    top: float,
) -> None:
    """Draw an image, the same under its heat, and below both what was predicted."""
    for place, image in enumerate(pair):
        draw_image(axes, image, left=left + place * (SMALL + 0.04), top=top, side=SMALL)
    predicted = prediction["predicted"]
    text = predicted if prediction["correct"] else f"{prediction['actual']} → {predicted}"
    width = 2 * SMALL + 0.04
    draw_caption(axes, text, prediction["confidence"], colors[predicted], left=left, top=top + SMALL, width=width)


def _draw_key(axes: Axes, right: float, middle: float) -> None:
    """Draw the colors of heat over gray, the coldest at the left."""
    strip = overlay(np.full((1, 64, 1), 128, np.uint8), np.linspace(0, 1, 64)[None])
    edge = right - 0.42
    axes.imshow(strip, extent=(edge - KEY_WIDTH, edge, middle + 0.05, middle - 0.05), aspect="auto")
    axes.text(right, middle, "most", size=8.5, color=SOFT, va="center", ha="right")
    axes.text(edge - KEY_WIDTH - 0.07, middle, "nothing", size=8.5, color=SOFT, va="center", ha="right")


@styled
def plot_faces(image: np.ndarray, faces: Sequence[ExplainedFace], emotions: Sequence[str]) -> Figure:
    """Draw an image with its faces boxed; beside it each face, its heat, and a bar for each emotion.

    Args:
        image: uint8 (height, width, 1 or 3), gray or RGB.
        faces: at least one; each with heat for as many emotions.
        emotions: the names of the probabilities, in their order.
    """
    columns = 1 + max(len(face.heat) for face in faces)
    row_height = max(SIDE + 0.55, BAR_STEP * len(emotions) + 0.55)
    left = 0.18 + IMAGE + 0.3
    bars_left = left + columns * (SIDE + GAP) + 0.1
    width = bars_left + BAR_NAMES + BARS + PERCENT_WIDTH + 0.18
    height, wide, _ = image.shape
    size = faces[0].crop.shape[0]
    figure, axes = new_sheet(
        width,
        max(IMAGE * min(1.0, height / wide) + 0.4, len(faces) * row_height + 0.3),
        f"What speaks for {' and '.join(_unique(face.emotion for face in faces))}",
        f"Each face as the model sees it, in {size}x{size} pixels, then what in it speaks for an emotion, by Grad-CAM; "
        "each map is colored by its own most. It says where the model looked, not why, and nothing of what the person "
        "feels.",
    )
    _draw_key(axes, width - 0.18, 0.15)
    colors = colors_of(emotions)
    _draw_image(axes, image, faces, colors)
    for row, face in enumerate(faces):
        top = 0.32 + row * row_height
        title = f"face {row + 1}" if len(faces) > 1 else "face"
        _draw_face(axes, face, title, dict(zip(emotions, face.probabilities, strict=True)), left, top)
        _draw_probabilities(axes, face, emotions, colors, bars_left, top + 0.24)
    return figure


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _draw_image(axes: Axes, image: np.ndarray, faces: Sequence[ExplainedFace], colors: Mapping[str, str]) -> None:
    scale = IMAGE / max(image.shape[:2])
    draw_image(axes, image, left=0.18, top=0.32, side=IMAGE)
    for number, face in enumerate(faces, start=1):
        left, top, right, bottom = _clip_box(face.box, image)
        corner = 0.18 + scale * left, 0.32 + scale * top
        width, height = scale * (right - left), scale * (bottom - top)
        for line, color in ((BOX_WIDTH + 1.6, "white"), (BOX_WIDTH, colors[face.emotion])):
            axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=color, linewidth=line))
        if len(faces) > 1:
            label = {"facecolor": colors[face.emotion], "edgecolor": "none", "pad": 1.5}
            axes.text(*corner, str(number), size=8, color="white", weight="bold", va="bottom", bbox=label)


def _clip_box(box: tuple[int, int, int, int], image: np.ndarray) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the part of `box` that lies in the image; faces may reach beyond it."""
    x, y, width, height = box
    return max(x, 0), max(y, 0), min(x + width, image.shape[1]), min(y + height, image.shape[0])


def _draw_face(
    axes: Axes, face: ExplainedFace, title: str, probabilities: Mapping[str, float], left: float, top: float
) -> None:
    """Draw the crop and, beside it, the crop under the heat of each emotion, with a title above each."""
    panels = {title: face.crop}
    for emotion, heat in face.heat.items():
        panels[f"{emotion} {percent(probabilities[emotion], 0)}"] = overlay(face.crop, heat)
    for place, (text, panel) in enumerate(panels.items()):
        start = left + place * (SIDE + GAP)
        axes.text(start, top + 0.16, text, size=9.5, color=INK if place else SOFT, weight="bold" if place else "normal")
        draw_image(axes, panel, left=start, top=top + 0.24, side=SIDE)


def _draw_probabilities(
    axes: Axes,
    face: ExplainedFace,
    emotions: Sequence[str],
    colors: Mapping[str, str],
    left: float,
    top: float,
) -> None:
    for row, (emotion, probability) in enumerate(zip(emotions, face.probabilities, strict=True)):
        middle = top + (row + 0.5) * BAR_STEP
        weight = "bold" if emotion == face.emotion else "normal"
        axes.text(left, middle, emotion, size=8.5, color=INK, weight=weight, va="center")
        draw_bar(axes, left + BAR_NAMES, middle - 0.035, BARS, probability, colors[emotion])
        end = left + BAR_NAMES + BARS + PERCENT_WIDTH
        axes.text(end, middle, percent(probability, 0), size=8, color=SOFT, ha="right", va="center")
