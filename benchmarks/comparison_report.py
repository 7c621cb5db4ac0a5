"""The table and the plot of `python -m benchmarks.comparison`, from its rows in results/runs.csv."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.outside_tables import read_reports
from benchmarks.released_report import PACKAGE_NAME
from benchmarks.runs import RESULTS, Run, read_runs, scores_of
from benchmarks.tables import render_table
from emotion.core.errors import InputError
from emotion.core.files import read_json
from emotion.plots.style import ACCENT, INK, PALE, SOFT, new_figure, save_figure, styled
from emotion.presentation.formats import figure_text

PREFIX = "comparison/"
LATENCY = RESULTS / "comparison_speed.json"
PHOTOS = RESULTS / "comparison_photos.json"
"""The scores of each system on faces_wild. A system of an earlier comparison has none."""

PLOT = RESULTS / "comparison.png"
PACKAGE = RESULTS / "fer_package.json"

SYSTEMS: dict[str, tuple[float, float] | None] = {
    "happy-sad-rgb": (0.90, 1.00),
    "happy-sad-grayscale": (0.90, 1.00),
    "five-webcam": (0.90, 1.00),
    "seven-two-blocks": (0.90, 1.00),
    "seven-three-blocks": (0.90, 1.00),
    "mini-xception": (0.66, 0.66),
    "vgg-bn": (0.7328, 0.7328),
    "se-resnet": (0.7370, 0.7370),
    "fer2013": None,
}
"""The presets that are compared, and the accuracy that the authors of each design state, from and to.

The authors of the first five used splits that are not published. 66 % is from the paper of mini-Xception. 73.28 and
73.70 % are of a VGG and a ResNet whose code picks the epoch on PrivateTest. Our own design has no other authors.
"""

PACKAGE_STATES = (0.66, 0.71)

HEADER = (
    "system",
    "classes",
    "test images",
    "the commonest class",
    "accuracy (95 %)",
    "macro F1",
    "photos, accuracy (95 %)",
    "parameters",
    "million multiply-adds",
    "best epoch",
    "training, min",
    "ms a face",
    "authors state",
)


class Row(NamedTuple):
    """The figures of a system in table and plot; accuracies are shares, 0 to 1."""

    name: str
    classes: int
    images: int
    commonest: float
    accuracy: float
    low: float
    high: float
    macro_f1: float
    photos: str
    parameters: int
    multiply_adds: int
    epochs: str
    minutes: str
    milliseconds: float
    stated: tuple[float, float] | None


def write_plot() -> None:
    """Write the plot."""
    save_figure(plot_accuracy(read_rows()), PLOT)


def render_comparison() -> str:
    """Return the table as Markdown."""
    return render_table(HEADER, map(_cells, read_rows()))


def read_rows() -> list[Row]:
    """Return a row for each system that has figures, then one for the package `fer`.

    Raises:
        InputError: the time of a system was not measured.
    """
    latency, runs = _read(LATENCY)["milliseconds_a_face"], read_runs()
    names = [name for name in SYSTEMS if PREFIX + name in runs]
    untimed = [name for name in names if name not in latency]
    if untimed:
        raise InputError(f"{LATENCY} lacks {', '.join(untimed)}; run `python -m benchmarks.comparison` once more")
    photos = read_json(PHOTOS) if PHOTOS.is_file() else {}
    rows = [_system(name, runs[PREFIX + name], photos.get(name), latency[name]) for name in names]
    return [*rows, _package()] if PACKAGE.exists() else rows


def _system(name: str, run: Run, photos: dict[str, Any] | None, milliseconds: float) -> Row:
    test = scores_of(run, "test")
    return Row(
        f"`{name}`",
        int(run["classes"]),
        int(test["images"]),
        float(run["commonest_class"]),
        *_accuracy(test),
        macro_f1=test["macro_f1"],
        photos=_photos(photos),
        parameters=int(run["parameters"]),
        multiply_adds=int(run["multiply_adds"]),
        epochs=f"{run['best_epoch']} of {run['epochs']}",
        minutes=f"{float(run['minutes']):.1f}" if run["minutes"] else "",
        milliseconds=milliseconds,
        stated=SYSTEMS[name],
    )


def _package() -> Row:
    package = _read(PACKAGE)
    test, support = package["test"], [scores["support"] for scores in package["by_class"].values()]
    return Row(
        f"package `fer` {package['version']}",
        len(support),
        test["images"],
        max(support) / test["images"],
        *_accuracy(test),
        macro_f1=test["macro_f1"],
        photos=_photos(read_reports()[PACKAGE_NAME]["all"]),
        parameters=package["parameters"],
        multiply_adds=package["multiply_adds"],
        epochs="",
        minutes="",
        milliseconds=package["milliseconds_a_face"]["own_tflite"],
        stated=PACKAGE_STATES,
    )


def _photos(scores: dict[str, Any] | None) -> str:
    return f"{figure_text(scores, 'accuracy')} of {scores['images']}" if scores else ""


def _accuracy(test: dict[str, float]) -> tuple[float, float, float]:
    return test["accuracy"], test["accuracy_low"], test["accuracy_high"]


def _read(path: Path) -> dict[str, Any]:
    return read_json(path, "run `python -m benchmarks.comparison` first")


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        str(row.classes),
        f"{row.images:,}",
        f"{100 * row.commonest:.1f} %",
        f"{100 * row.accuracy:.1f} % ({100 * row.low:.1f} to {100 * row.high:.1f})",
        f"{row.macro_f1:.3f}",
        row.photos,
        f"{row.parameters:,}",
        f"{row.multiply_adds / 1e6:.1f}",
        row.epochs,
        row.minutes,
        f"{row.milliseconds:.2f}",
        _write_stated(row.stated),
    )


def _write_stated(stated: tuple[float, float] | None) -> str:
    if stated is None:
        return ""
    low, high = (f"{100 * share:.3g}" for share in stated)
    return f"{low} %" if low == high else f"{low} to {high} %"


@styled
def plot_accuracy(rows: Sequence[Row]) -> Figure:
    """Draw accuracy with its interval, a panel for each number of classes, and what the authors state beside it."""
    panels = {classes: [row for row in rows if row.classes == classes] for classes in sorted({r.classes for r in rows})}
    figure = new_figure(
        9.5,
        0.75 * len(panels) + 0.34 * len(rows) + 0.5,
        "Measured on FER2013's PrivateTest, and stated",
        "Dots: accuracy here, with the 95 % interval. Light bars: accuracy that the authors of the design state, most "
        "of them on other splits. Gray ticks: share of the commonest emotion.",
    )
    heights = [len(panel) + 0.6 for panel in panels.values()]
    axes = figure.subplots(len(panels), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for place, (classes, panel) in zip(axes, panels.items(), strict=True):
        _draw_panel(place, panel)
        place.set_title(f"{classes} classes", loc="left")
    axes[-1].set_xlabel("accuracy, %")
    return figure


def _draw_panel(axes: Axes, rows: Sequence[Row]) -> None:
    for height, row in enumerate(rows):
        if row.stated is not None:
            low, high = row.stated
            axes.plot([100 * low - 0.3, 100 * high + 0.3], [height, height], color=PALE, linewidth=9, zorder=1)
        axes.plot(100 * row.commonest, height, "|", color=SOFT, markersize=11, zorder=2)
        axes.plot([100 * row.low, 100 * row.high], [height, height], color=ACCENT, linewidth=2, zorder=3)
        axes.plot(100 * row.accuracy, height, "o", color=ACCENT, markersize=7, markeredgecolor="white", zorder=4)
        axes.annotate(
            f"{100 * row.accuracy:.1f}",
            (100 * row.low, height),
            xytext=(-6, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            color=INK,
        )
    axes.set_yticks(range(len(rows)), [row.name.partition(":")[0].replace("`", "") for row in rows])
    axes.grid(visible=False, axis="y")
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(20, 101)
