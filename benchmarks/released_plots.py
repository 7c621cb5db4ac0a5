"""The plots of `python -m benchmarks.released`: accuracy by the time of training, and on photos by that of a face."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter
from matplotlib.transforms import Bbox

from benchmarks.outside_tables import read_reports
from benchmarks.released_report import (
    PACKAGE_NAME,
    System,
    minutes_text,
    read_machine,
    read_package,
    read_systems,
    read_vote_systems,
)
from benchmarks.runs import RESULTS
from emotion.plots.style import ACCENT, GRID, INK, SOFT, new_figure, save_figure, styled

TRAINING_PLOT = RESULTS / "released_training_time.png"
LATENCY_PLOT = RESULTS / "released_latency.png"

CORES = 2
"""Threads of the trainings that the plot of training time compares."""

BESIDE = [(x, y) for y in (0, 10, -10, 22, -22, 34, -34, 46, -46) for x in (9, -9)]
"""Places for the label of a point, in points from it: best first."""

TICKS = tuple(step * 10.0**power for power in range(-3, 4) for step in (1, 2, 5))


class Spot(NamedTuple):
    """A place for a label: `offset` in points from a point of the data."""

    point: tuple[float, float]
    offset: tuple[float, float]
    horizontal: Literal["left", "right"]
    vertical: Literal["bottom", "center", "top"]


def write_plots() -> None:
    """Draw both plots; that of training time where some system tells it."""
    systems, package = read_systems(), read_package()
    save_figure(plot_latency(find_on_photos([*read_vote_systems(), *systems, package]), read_machine()), LATENCY_PLOT)
    timed = [system for system in systems if is_of_two_cores(system)]
    if timed:
        save_figure(plot_training_time(timed, package), TRAINING_PLOT)


def find_on_photos(systems: Sequence[System]) -> list[System]:
    """Return the systems that were timed and have scores on faces_wild, with these in place of those on PrivateTest."""
    reports = read_reports()
    timed = [system for system in systems if not math.isnan(system.milliseconds)]
    keys = [system.name.partition(" ")[0] for system in timed]
    return [
        system._replace(test=reports[key]["all"]) for system, key in zip(timed, keys, strict=True) if key in reports
    ]


def is_of_two_cores(system: System) -> bool:
    """Return whether the training ran on two threads of a processor, as far as time.json says."""
    time = system.time
    return time is not None and time["threads"] == CORES and time["accelerator"] is None


@styled
def plot_training_time(systems: Sequence[System], package: System) -> Figure:
    """Draw accuracy against minutes of training on two cores, and the accuracy of `fer` as a line."""
    minutes = [system.minutes for system in systems]
    processors = " and ".join(sorted({system.time["processor"] for system in systems if system.time}))
    figure = new_figure(
        7.6,
        3.9,
        "Accuracy by training time on two cores",
        f"Two threads of {processors}. Dots: each model on FER2013's PrivateTest, with its 95 % interval. Gray: the "
        f"package {PACKAGE_NAME}, with its interval.",
    )
    axes = figure.subplots()
    end = 1.3 * max(minutes)
    axes.set_xlim(0, end)
    axes.set_xlabel("training, minutes")
    _set_accuracies(axes, [*systems, package])
    middle, low, high = package.accuracy
    axes.axhspan(low, high, color=GRID, alpha=0.6, linewidth=0, zorder=0)
    axes.axhline(middle, color=SOFT, linewidth=1.5, zorder=1)
    figure.draw_without_rendering()  # lays it out, so that pixels are known
    taken = [_box(axes, 0, middle, end, middle)]
    _draw_systems(axes, systems, minutes, list(map(minutes_text, systems)), taken)
    _place(axes, f"package {package.name}: {middle:.1f} %", _line_spots(middle, end), taken, color=SOFT)
    return figure


@styled
def plot_latency(systems: Sequence[System], machine: str) -> Figure:
    """Draw accuracy on photos against the milliseconds of a pass, for `systems` that were timed, `fer` among them."""
    milliseconds = [system.milliseconds for system in systems]
    figure = new_figure(
        7.6,
        3.9,
        "Accuracy on photos by time per face",
        f"Dots: 625 photos of five emotions, with the 95 % interval; gray: the package {PACKAGE_NAME}. Faces and their "
        f"mirror images are averaged. Times are of one pass, in TensorFlow Lite on one thread of {machine}.",
    )
    axes = figure.subplots()
    axes.set_xscale("log")
    axes.set_xlim(min(milliseconds) / 1.8, 1.8 * max(milliseconds))
    axes.xaxis.set_major_locator(FixedLocator(TICKS))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("milliseconds a face, logarithmic")
    _set_accuracies(axes, systems)
    figure.draw_without_rendering()  # lays it out, so that pixels are known
    _draw_systems(axes, systems, milliseconds, [f"{place:.2f} ms" for place in milliseconds], [])
    return figure


def _set_accuracies(axes: Axes, systems: Sequence[System]) -> None:
    """Let the axis of accuracies hold every interval."""
    ends = [end for system in systems for end in system.accuracy]
    axes.set_ylim(min(ends) - 1, max(ends) + 1)
    axes.set_ylabel("accuracy, %")


def _draw_systems(
    axes: Axes, systems: Sequence[System], places: Sequence[float], costs: Sequence[str], taken: list[Bbox]
) -> None:
    """Draw each system at its place on the x axis, with a label that keeps clear of all dots, intervals and labels.

    Args:
        axes: their limits and scales are final, and the figure is laid out.
        systems: what to draw.
        places: their values of the x axis.
        costs: the same as text, for the labels.
        taken: what else labels keep clear of; the boxes of what is drawn are added.
    """
    for system, place in zip(systems, places, strict=True):
        middle, low, high = system.accuracy
        color = SOFT if system.name.startswith(f"{PACKAGE_NAME} ") else ACCENT
        axes.plot([place, place], [low, high], color=color, linewidth=2, zorder=3)
        axes.plot(place, middle, "o", color=color, markersize=8, markeredgecolor="white", zorder=4)
    taken += [
        _box(axes, place, system.accuracy[1], place, system.accuracy[2]).padded(4)
        for system, place in zip(systems, places, strict=True)
    ]
    for system, place, cost in zip(systems, places, costs, strict=True):
        middle = system.accuracy[0]
        _place(axes, f"{system.name}\n{middle:.1f} %, {cost}", _point_spots(place, middle), taken, color=INK)


def _point_spots(place: float, accuracy: float) -> list[Spot]:
    return [Spot((place, accuracy), (x, y), "left" if x > 0 else "right", "center") for x, y in BESIDE]


def _line_spots(height: float, end: float) -> list[Spot]:
    """Return where the label of a horizontal line may stand: above or below it, at either end."""
    return [
        Spot((place, height), (x, y), "left" if x > 0 else "right", "bottom" if y > 0 else "top")
        for place, x in ((end, -4), (0, 4))
        for y in (3, -3)
    ]


def _place(axes: Axes, text: str, spots: Sequence[Spot], taken: list[Bbox], *, color: str) -> None:
    """Write `text` at the first of `spots` where it meets least of what is `taken`; add it to that."""
    first = spots[0]
    label = axes.annotate(
        text, first.point, xytext=first.offset, textcoords="offset points", color=color, size=8.5, zorder=5
    )
    boxes = [_move(label, spot) for spot in spots]
    meetings = [box.count_overlaps(taken) + _sticks_out(axes, box) for box in boxes]
    best = meetings.index(min(meetings))
    taken.append(_move(label, spots[best]))


def _move(label: Annotation, spot: Spot) -> Bbox:
    """Move a label to a spot; return the pixels that it takes there."""
    label.xy, label.xyann = spot.point, spot.offset
    label.set(horizontalalignment=spot.horizontal, verticalalignment=spot.vertical)
    return label.get_window_extent()


def _sticks_out(axes: Axes, box: Bbox) -> bool:
    return not (axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1 and axes.bbox.y0 <= box.y0 and box.y1 <= axes.bbox.y1)


def _box(axes: Axes, left: float, low: float, right: float, high: float) -> Bbox:
    """Return the pixels between two points of the data; the figure is laid out already."""
    return Bbox(axes.transData.transform([(left, low), (right, high)]))
