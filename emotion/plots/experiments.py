"""Experiments side by side: which params went with which figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from emotion.plots.style import INK, PALE, SOFT, new_figure, styled, wrap

COLOR_MAP = "YlGnBu"
PALEST = 0.3  # share of the color map's range that the worst experiment has, since less is hard to see on white
BEST_COLOR = "#d55e00"  # unlike all of the map
HEIGHT = 3.4  # inches of an axis
SPACING = 1.75  # inches between two axes
BESIDE = 3.2  # inches left and right of all axes, for values and names
NOTE_HEIGHT = 0.21  # inches, of a line under the plot

DECADES = 10.0  # largest value by smallest from which an axis is logarithmic
MOST_VALUES = 7  # up to as many different values each have a tick
LEAST_GAP = 0.05  # of an axis' height, between two ticks
LABEL_GAP = 0.062  # of an axis' height, between two names at the right
MOST_LABELS = 12  # experiments up to which all names are written
MANY = 24  # experiments above which lines are thin
TIE_GAP = 0.02  # of an axis' height, between lines that share a value
TIE_WIDTH = 0.08  # that many of them are spread over at most
LONGEST = 20  # letters of a value or name; more are cut

SMALLER_IS_BETTER = ("loss", "error", "parameters", "multiply_adds")
OF_TEST = ("test", "by_class")
AS_IN_YAML = {"": "null", "True": "true", "False": "false"}


@dataclass(frozen=True)
class Results:
    """The experiments of a commit, best first.

    Attributes:
        table: a row an experiment, its name as the index: the params that differ as text, and the metric as a number
            in the last column.
        baseline: the name of the row that is the commit itself, where that has the metric.
        notes: lines for under the plot.
    """

    table: pd.DataFrame
    baseline: str | None = None
    notes: Sequence[str] = ()

    @property
    def metric(self) -> str:
        return str(self.table.columns[-1])

    @property
    def params(self) -> list[str]:
        return [str(name) for name in self.table.columns[:-1]]

    @property
    def figures(self) -> np.ndarray:
        """The metric of each row, (rows,) float."""
        return self.table[self.metric].to_numpy(dtype=float)

    @property
    def best(self) -> int:
        """The place of the best row that is not the baseline."""
        return int(np.flatnonzero(self.table.index != self.baseline)[0])


@dataclass(frozen=True)
class Scale:
    """Where things lie on an axis from 0 to 1: `places` (rows,) of the experiments, and ticks with their texts."""

    places: np.ndarray
    ticks: dict[float, str]
    note: str = ""


def is_better_smaller(metric: str) -> bool:
    """Return whether a smaller figure is a better one, as with losses."""
    return any(part in metric for part in SMALLER_IS_BETTER)


def is_of_test(metric: str) -> bool:
    """Return whether the metric was measured on the test split."""
    return any(part in metric for part in OF_TEST)


def is_numeric(values: pd.Series) -> bool:
    """Return whether all values, given as text, are finite numbers."""
    return bool(np.isfinite(pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)).all())


@styled
def plot_experiments(results: Results) -> Figure:
    """Draw parallel coordinates: an axis for each param and the metric, a line an experiment, darker the better."""
    names = [*results.params, results.metric]
    width = max(8.0, SPACING * (len(names) - 1) + BESIDE)
    notes = [line for note in results.notes for line in wrap(note, width)]
    figure = new_figure(width, HEIGHT + 1.0 + NOTE_HEIGHT * len(notes), _title(results), _subtitle(results))
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set(xlim=(0, len(names) - 1), ylim=(-0.04, 1.04))
    figures = results.figures
    scales = [*(_scale_param(results.table[name], figures) for name in results.params), _scale_metric(figures)]
    for place, (name, scale) in enumerate(zip(names, scales, strict=True)):
        _draw_axis(axes, place, name, scale)
    _draw_lines(axes, results, np.stack([_part_ties(scale.places, figures) for scale in scales], axis=1))
    _label_lines(axes, results, scales[-1].places)
    if notes:
        axes.annotate(
            "\n".join(notes),
            (0, 0),
            xycoords="axes fraction",
            xytext=(0, -14),
            textcoords="offset points",
            va="top",
            color=SOFT,
            linespacing=1.35,
            annotation_clip=False,
        )
    return figure


def figure_text(figure: float) -> str:
    """Return a metric as text: five digits, and whole numbers in full."""
    return f"{figure:,.0f}" if float(figure).is_integer() else f"{figure:.5g}"


def param_text(value: str) -> str:
    """Return a param's value from `dvc exp show` as params.yaml has it."""
    return AS_IN_YAML.get(value, value)


def _title(results: Results) -> str:
    count = len(results.table) - (results.baseline is not None)
    name, figure = _cut(str(results.table.index[results.best]), 2 * LONGEST), figure_text(results.figures[results.best])
    return f"Best of {count} experiments: {name}, {figure}" if count > 1 else f"One experiment: {name}, {figure}"


def _subtitle(results: Results) -> str:
    name = results.metric.rpartition(":")[2]
    text = f"A line is an experiment, the darker the better its {name}; orange is the best one."
    if results.baseline is None:
        return text
    place = list(results.table.index).index(results.baseline)
    figure, best = results.figures[[place, results.best]]
    better = ", better than all of them" if place < results.best and figure != best else ""
    committed = f"what is committed ({_cut(results.baseline, 2 * LONGEST)}), {figure_text(figure)}"
    return f"{text} Dashed: {committed}{better}."


def _scale_param(values: pd.Series, figures: np.ndarray) -> Scale:
    return _scale_numbers(values) if is_numeric(values) else _scale_names(values, figures)


def _scale_numbers(values: pd.Series) -> Scale:
    """Return an axis from the smallest to the largest number, logarithmic where they are far apart."""
    numbers = pd.to_numeric(values).to_numpy(dtype=float)
    low, high = numbers.min(), numbers.max()
    logarithmic = low > 0 and high / low >= DECADES
    texts = dict(sorted(zip(numbers.tolist(), values, strict=True)))
    if len(texts) > MOST_VALUES:
        texts = {tick: f"{tick:g}" for tick in _round_ticks(low, high, logarithmic)}
    change = np.log if logarithmic else np.asarray
    start, length = change(low), change(high) - change(low)
    ticks = {float((change(tick) - start) / length): text for tick, text in texts.items()}
    return Scale((change(numbers) - start) / length, _thin(ticks), ", log scale" if logarithmic else "")


def _scale_names(values: pd.Series, figures: np.ndarray) -> Scale:
    """Return an axis of names, in the order of the highest figure that each has."""
    highest = pd.Series(figures).groupby(values.to_numpy()).max().sort_values(kind="stable")
    places = dict(zip(highest.index, np.linspace(0, 1, len(highest)), strict=True))
    ticks = {float(place): _cut(param_text(str(name))) for name, place in places.items()}
    return Scale(values.map(places).to_numpy(dtype=float), ticks)


def _scale_metric(figures: np.ndarray) -> Scale:
    low, high = figures.min(), figures.max()
    if low == high:
        return Scale(np.full(len(figures), 0.5), {0.5: figure_text(low)})
    ticks = {(tick - low) / (high - low): figure_text(tick) for tick in _round_ticks(low, high, logarithmic=False)}
    return Scale((figures - low) / (high - low), _thin(ticks))


def _round_ticks(low: float, high: float, logarithmic: bool) -> list[float]:
    """Return round numbers from `low` to `high`."""
    if logarithmic:
        powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        candidates = np.outer(10.0**powers, [1, 2, 5]).ravel()
    else:
        candidates = np.asarray(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(low, high))
    return [float(tick) for tick in candidates.round(12) if low <= tick <= high]


def _thin(ticks: dict[float, str]) -> dict[float, str]:
    """Leave out ticks that are too near to the one below."""
    kept: dict[float, str] = {}
    for place, text in sorted(ticks.items()):
        if not kept or place - max(kept) >= LEAST_GAP:
            kept[place] = text
    return kept


def _part_ties(places: np.ndarray, figures: np.ndarray) -> np.ndarray:
    """Move lines that meet in one value a little apart, in the order of their figures, so each can be followed."""
    parted = places.astype(float)
    for place in np.unique(places):
        tied = np.flatnonzero(places == place)
        half = min(TIE_GAP * (len(tied) - 1), TIE_WIDTH) / 2
        parted[tied[np.argsort(figures[tied], kind="stable")]] += np.linspace(-half, half, len(tied))
    return parted


def _draw_axis(axes: Axes, place: int, name: str, scale: Scale) -> None:
    axes.plot([place, place], [-0.04, 1.04], color=PALE, linewidth=1, zorder=1, clip_on=False)
    above, key = _split(name)
    for text, height, color, weight, size in (
        (key, 10, INK, "bold", 9.5),
        (above + scale.note, 23, SOFT, "normal", 8.5),
    ):
        axes.annotate(
            text,
            (place, 1.04),
            xytext=(0, height),
            textcoords="offset points",
            ha="center",
            color=color,
            weight=weight,
            size=size,
            annotation_clip=False,
        )
    for tick, text in scale.ticks.items():
        axes.annotate(
            text,
            (place, tick),
            xytext=(-7, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            size=8.5,
            color=INK,
            zorder=90,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1},
            annotation_clip=False,
        )
        axes.plot([place - 0.02, place], [tick, tick], color=SOFT, linewidth=0.8, zorder=1, clip_on=False)


def _split(name: str) -> tuple[str, str]:
    """Return what stands above an axis: the param's section or the metric's file, and the rest of the name."""
    file, colon, key = name.rpartition(":")
    if colon and file != "params.yaml":
        return file, key
    section, dot, rest = key.partition(".")
    return (section, rest) if dot else ("", section)


def _draw_lines(axes: Axes, results: Results, heights: np.ndarray) -> None:
    """Draw a line for each row of `heights` (rows, axes), the best on top."""
    colors = colormaps[COLOR_MAP](PALEST + (1 - PALEST) * _goodness(results))
    colors[results.best] = to_rgba(BEST_COLOR)
    thin = 1.0 if len(heights) > MANY else 1.7
    for row, name in enumerate(results.table.index):
        best = row == results.best
        line = PathPatch(
            _smooth(heights[row]),
            facecolor="none",
            edgecolor=colors[row],
            linewidth=3.4 if best else thin,
            linestyle=(0, (5, 2)) if name == results.baseline else "solid",
            zorder=80 if best else 50 - row / len(heights),
            clip_on=False,
            path_effects=[withStroke(linewidth=5, foreground="white")] if best else None,
        )
        axes.add_patch(line)
    places = np.arange(heights.shape[1])
    axes.plot(
        places,
        heights[results.best],
        "o",
        color=BEST_COLOR,
        markersize=8,
        markeredgecolor="white",
        zorder=81,
        clip_on=False,
    )


def _goodness(results: Results) -> np.ndarray:
    """Return 1 for the best figure and 0 for the worst, (rows,)."""
    figures = results.figures
    span = np.ptp(figures)
    if span == 0:
        return np.ones(len(figures))
    share = (figures - figures.min()) / span
    return 1 - share if is_better_smaller(results.metric) else share


def _smooth(heights: np.ndarray) -> Path:
    """Return a curve through (0, heights[0]), (1, heights[1]), … that crosses every axis at a right angle."""
    points, codes = [(0.0, heights[0])], [Path.MOVETO]
    for place, (here, there) in enumerate(pairwise(heights)):
        points += [(place + 0.4, here), (place + 0.6, there), (place + 1.0, there)]
        codes += [Path.CURVE4] * 3
    return Path(points, codes)


def _label_lines(axes: Axes, results: Results, heights: np.ndarray) -> None:
    """Write the names of experiments at the right: all of a few, of many the best one and what is committed."""
    names = [str(name) for name in results.table.index]
    few = len(names) <= MOST_LABELS
    rows = [row for row, name in enumerate(names) if few or row == results.best or name == results.baseline]
    for row, height in zip(rows, _part_labels(heights[rows]), strict=True):
        best = row == results.best
        axes.annotate(
            f"{_cut(names[row])}  {figure_text(results.figures[row])}",
            (len(results.params), heights[row]),
            xytext=(len(results.params) + 0.13, height),
            textcoords="data",
            va="center",
            size=9.5 if best else 8.5,
            weight="bold" if best else "normal",
            color=BEST_COLOR if best else SOFT,
            arrowprops={"arrowstyle": "-", "color": PALE, "linewidth": 0.8, "shrinkA": 1, "shrinkB": 5},
            annotation_clip=False,
        )


def _part_labels(heights: np.ndarray) -> np.ndarray:
    """Return heights near these ones of which no two are nearer than LABEL_GAP, in the same order."""
    order = np.argsort(heights, kind="stable")
    # Less its share of the gaps, each height may be equal to its neighbors but not below the lower ones.
    gaps = LABEL_GAP * np.arange(len(heights))
    groups: list[list[float]] = []
    for height in heights[order] - gaps:
        groups.append([height])
        while len(groups) > 1 and np.mean(groups[-1]) < np.mean(groups[-2]):
            last = groups.pop()
            groups[-1] += last
    parted = np.empty(len(heights))
    parted[order] = np.concatenate([np.full(len(group), np.mean(group)) for group in groups]) + gaps
    return parted


def _cut(text: str, most: int = LONGEST) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
