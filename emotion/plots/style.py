"""The style of all plots: colors, fonts, the header, and saving to the same bytes every time."""

import functools
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.textpath import TextPath
from PIL import Image

from emotion.core.files import atomic_path
from emotion.presentation.colors import COLORS

Arguments = ParamSpec("Arguments")

DPI = 100
PLACE_DECIMALS = 6  # of positions, as shares of a figure
MARGIN = 0.18  # inches around everything
TITLE_HEIGHT = 0.34  # inches
LINE_HEIGHT = 0.22  # inches, of a line of the subtitle
CHARACTER_WIDTH = 0.076  # inches, of a subtitle's letter on average, on the safe side

INK = "#222222"
SOFT = "#6a6a6a"
PALE = "#c4c4c4"
GRID = "#e9e9e9"
ACCENT = "#0072b2"

LENDERS = ("sad", "angry", "disgust", "fear", "surprise", "contempt", "happy", "neutral")
"""Whose colors emotions of other names take, such as `negative`, where a scheme lacks these: most unlike first."""

LETTER_GRAYS = 16  # of the 256 colors of a sheet of color images
HINTING = 0.92  # letters are drawn on whole pixels, which makes small ones wider than their outlines
COLORS_AT_ONCE = 1 << 14  # so that a sheet of many colors takes little memory

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": PALE,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelcolor": SOFT,
    "axes.labelsize": 9.5,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": PALE,
    "ytick.color": PALE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


def styled(function: Callable[Arguments, Figure]) -> Callable[Arguments, Figure]:
    """Make `function` draw in the house style, whatever matplotlibrc the reader has; nothing global changes."""

    @functools.wraps(function)
    def draw(*arguments: Arguments.args, **options: Arguments.kwargs) -> Figure:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(_STYLE)
            return function(*arguments, **options)

    return draw


def new_figure(width: float, height: float, title: str, subtitle: str = "") -> Figure:
    """Return a figure with a header; `height` in inches is what stands below it, and axes keep to that part."""
    lines = wrap(subtitle, width - 2 * MARGIN)
    header = header_height(lines)
    total = height + header
    # left, bottom, width and height, as shares of the figure
    area = (MARGIN / width, MARGIN / total, 1 - 2 * MARGIN / width, (height - MARGIN) / total)
    figure = Figure(figsize=(width, total), dpi=DPI, layout=ConstrainedLayoutEngine(rect=area, w_pad=0.06, h_pad=0.06))
    left = MARGIN / width
    figure.text(left, 1 - MARGIN / total, title, size=14, weight="bold", ha="left", va="top")
    top = MARGIN + TITLE_HEIGHT
    figure.text(left, 1 - top / total, "\n".join(lines), size=9.5, color=SOFT, ha="left", va="top", linespacing=1.35)
    return figure


def new_sheet(width: float, height: float, title: str, subtitle: str = "") -> tuple[Figure, Axes]:
    """Return a figure with a header, and axes below it in inches: (0, 0) is the upper left, (width, height) the end."""
    header = header_height(wrap(subtitle, width - 2 * MARGIN))
    figure = new_figure(width, height, title, subtitle)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, height / (height + header)))
    axes.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)
    axes.set_axis_off()
    return figure, axes


def wrap(text: str, width: float) -> list[str]:
    """Return `text` in lines that fit `width` inches in the subtitle's size."""
    return textwrap.wrap(text, max(20, int(width / CHARACTER_WIDTH)))


def header_height(lines: list[str]) -> float:
    """Return the height in inches of a header with these lines of subtitle."""
    return MARGIN + TITLE_HEIGHT + LINE_HEIGHT * len(lines) + 0.1


def save_figure(figure: Figure, path: Path) -> None:
    """Write `figure` as PNG: no date, no program's name, so the same figure gives the same bytes."""
    _save_image(Image.fromarray(_render(figure)), path)


def save_gray_sheet(figure: Figure, path: Path) -> None:
    """Write a sheet of gray images as PNG in fixed colors, for a third of the bytes."""
    _save_indexed(_render(figure), sheet_palette(), path)


def save_indexed(figure: Figure, path: Path, colors: int = 256) -> None:
    """Write a figure as PNG in so many colors, 32 to 256: some for letters and bars, most chosen by what it shows.

    git keeps every version of a plot, and 128 colors are not told from the full ones in a chart of half the bytes.
    """
    pixels = _render(figure)
    grays = np.linspace(0, 255, LETTER_GRAYS)[:, None].repeat(3, axis=1)
    full = 255 * np.array([to_rgb(color) for color in COLORS.values()])
    letters = np.concatenate([grays, full]).round().astype(np.uint8)
    image = Image.fromarray(pixels).quantize(colors - len(letters), Image.Quantize.MEDIANCUT)
    chosen = np.array(image.getpalette(), dtype=np.uint8).reshape(-1, 3)[: colors - len(letters)]
    _save_indexed(pixels, np.concatenate([letters, chosen]), path)


def sheet_palette() -> np.ndarray:
    """Return colors, (128, 3) uint8: 32 grays, and 12 tints of each emotion's color from full to nearly white."""
    grays = np.linspace(0, 255, 32)[:, None].repeat(3, axis=1)
    full = 255 * np.array([to_rgb(color) for color in COLORS.values()])
    strength = np.linspace(1, 0, 12, endpoint=False)[:, None]
    tints = [255 - (255 - color) * strength for color in full]
    return np.concatenate([grays, *tints]).round().astype(np.uint8)


def _save_indexed(pixels: np.ndarray, palette: np.ndarray, path: Path) -> None:
    """Write pixels (height, width, 3) as PNG, each in the nearest color of the palette (at most 256, 3)."""
    packed = pixels.astype(np.uint32) @ np.array([65536, 256, 1], dtype=np.uint32)
    codes, places = np.unique(packed, return_inverse=True)
    nearest = _nearest(np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1), palette)
    image = Image.fromarray(nearest[places].reshape(packed.shape))
    image.putpalette(palette.tobytes())
    _save_image(image, path)


def _nearest(colors: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Return, for each color (n, 3), the place of the nearest one in the palette, (n,) uint8."""
    targets = palette.astype(np.float32)
    lengths = (targets**2).sum(axis=1)
    nearest = np.empty(len(colors), dtype=np.uint8)
    for start in range(0, len(colors), COLORS_AT_ONCE):
        some = slice(start, start + COLORS_AT_ONCE)
        # The squared distance, less what is the same for all of the palette; whole numbers, so exact.
        nearest[some] = (lengths - 2 * (colors[some].astype(np.float32) @ targets.T)).argmin(axis=1)
    return nearest


def _render(figure: Figure) -> np.ndarray:
    """Return the figure's pixels, (height, width, 3) uint8."""
    canvas = FigureCanvasAgg(figure)
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        _place_axes(figure)
        canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[:, :, :3])


def _place_axes(figure: Figure) -> None:
    """Place the axes as the layout does, in rounded numbers, and keep them there.

    The solver of the layout sums in an order that differs from run to run. A letter could move by a part of a pixel.
    """
    engine = figure.get_layout_engine()
    if engine is None or not figure.axes:
        return
    engine.execute(figure)
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(tuple(np.round(axes.get_position(original=True).bounds, PLACE_DECIMALS)))


def _save_image(image: Image.Image, path: Path) -> None:
    with atomic_path(path) as temporary:
        image.save(temporary, optimize=True)


def colors_of(emotions: Sequence[str]) -> dict[str, str]:
    """Return a color for each emotion of a scheme, no two the same.

    A known emotion has the same color in every scheme. A class with another name gets the color of an absent emotion.
    """
    free = iter(COLORS[lender] for lender in LENDERS if lender not in emotions)
    return {emotion: COLORS[emotion] if emotion in COLORS else next(free, INK) for emotion in emotions}


def fitting_size(text: str, size: float, inches: float, *, weight: str = "normal") -> float:
    """Return the size of letters in points: `size`, or less where `text` would be wider than `inches`."""
    width = TextPath((0, 0), text, size=size, prop=FontProperties(weight=weight)).get_extents().width / 72
    return size * min(1, HINTING * inches / width)


def grid_shape(panels: int) -> tuple[int, int]:
    """Return rows and columns for a number of panels: at most four across, as few empty places as possible."""
    columns = panels if panels <= 4 else min((4, 3), key=lambda count: -panels % count)
    return -(-panels // columns), columns
