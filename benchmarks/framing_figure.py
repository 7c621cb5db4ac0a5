"""The figure of `python -m benchmarks.framing`: crops with several margins beside the mean of FER2013's images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from emotion.plots.sheets import draw_image
from emotion.plots.style import ACCENT, INK, SOFT, new_sheet, styled
from emotion.presentation.formats import percent

SIDE, GAP = 1.3, 0.12
"""Inches of a crop, and between two."""

NAMES_WIDTH = 1.15
HEADER_HEIGHT = 0.26
CAPTION_HEIGHT = 0.34
RING = 0.075
"""Its radius, as a share of a crop's side."""

TITLES = {"cascade": ("cascade", "OpenCV's boxes"), "yunet": ("yunet", "its boxes, leveled")}


@styled
def plot_framing(result: dict[str, Any], mean: np.ndarray, crops: Mapping[str, Mapping[float, np.ndarray]]) -> Figure:
    """Draw, a row a detector, FER2013's mean image and a photo's crops by margin, with the accuracy of each margin.

    Args:
        result: what results/framing.json holds.
        mean: the mean of FER2013's images, (size, size). It is drawn with all the contrast that there is.
        crops: uint8 (size, size) by detector and margin, the margins the same for all detectors.
    """
    margins = list(next(iter(crops.values())))
    row_height = SIDE + CAPTION_HEIGHT
    figure, axes = new_sheet(
        _left(len(margins)) + SIDE + 0.18,
        HEADER_HEIGHT + len(crops) * row_height,
        "At margin 0, faces stand in their crops as they stand in FER2013",
        "Rings: where eyes are in FER2013, by the median. Percent: how many of the faces in PublicTest that a detector "
        "found the released model reads right in such crops; below FER2013's mean, in FER2013's own images of them.",
    )
    titles = ["FER2013's mean", *(f"margin {margin:g}" for margin in margins)]
    for place, title in enumerate(titles):
        axes.text(_left(place) + SIDE / 2, HEADER_HEIGHT - 0.08, title, size=9.5, color=SOFT, ha="center")
    for row, (name, by_margin) in enumerate(crops.items()):
        top = HEADER_HEIGHT + row * row_height
        figures = result["detectors"][name]
        _draw_name(axes, name, figures["found"], top)
        _draw_crop(axes, _stretched(mean), result["eyes"], 0, top)
        _draw_percent(axes, figures["accuracy"]["as_they_are"], 0, top)
        best = max(margins, key=lambda margin: figures["accuracy"]["by_margin"][str(margin)])
        for place, margin in enumerate(margins, start=1):
            _draw_crop(axes, by_margin[margin], result["eyes"], place, top)
            _draw_percent(axes, figures["accuracy"]["by_margin"][str(margin)], place, top, best=margin == best)
    return figure


def _stretched(image: np.ndarray) -> np.ndarray:
    low, high = image.min(), image.max()
    stretched: np.ndarray = ((image - low) * (255 / (high - low))).round().astype(np.uint8)
    return stretched


def _left(place: int) -> float:
    return 0.18 + NAMES_WIDTH + place * (SIDE + GAP) + (GAP if place else 0)


def _draw_name(axes: Axes, name: str, found: float, top: float) -> None:
    title, note = TITLES.get(name, (name, ""))
    middle = top + SIDE / 2
    axes.text(0.18, middle - 0.04, title, size=11, weight="bold", color=INK, va="bottom")
    axes.text(
        0.18, middle + 0.02, f"{note}\nfound {percent(found, 0)}", size=8.5, color=SOFT, va="top", linespacing=1.5
    )


def _draw_crop(axes: Axes, crop: np.ndarray, eyes: dict[str, Any], place: int, top: float) -> None:
    """Draw an image (size, size), and a ring around where each eye is in FER2013."""
    left = _left(place)
    draw_image(axes, crop[:, :, None], left=left, top=top, side=SIDE)
    x, y, distance = (eyes[name]["median"] for name in ("x", "y", "distance"))
    for eye in (x - distance / 2, x + distance / 2):
        center = (left + eye * SIDE, top + y * SIDE)
        axes.add_patch(Circle(center, RING * SIDE, facecolor="none", edgecolor="white", linewidth=2.2))
        axes.add_patch(Circle(center, RING * SIDE, facecolor="none", edgecolor=ACCENT, linewidth=1.1))


def _draw_percent(axes: Axes, share: float, place: int, top: float, *, best: bool = False) -> None:
    weight, color = ("bold", INK) if best else ("normal", SOFT)
    axes.text(
        _left(place) + SIDE / 2, top + SIDE + 0.17, percent(share), size=9.5, weight=weight, color=color, ha="center"
    )
