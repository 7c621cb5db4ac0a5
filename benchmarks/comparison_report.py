"""The table and the plot of `python -m benchmarks.comparison`, from the figures that its runs left."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.documents import write_between
from emotion.core.errors import InputError
from emotion.core.files import read_json
from emotion.plots.style import ACCENT, INK, PALE, SOFT, new_figure, save_figure, styled

RESULTS = Path("benchmarks/results")
FOLDER = RESULTS / "comparison"
LATENCY = FOLDER / "latency.json"
PLOT = FOLDER / "accuracy.png"
PACKAGE = RESULTS / "fer_package.json"
PAGE = Path("docs/figures.md")
MARKS = ("<!-- comparison -->\n", "<!-- /comparison -->\n")

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

Those of the first five do so on splits that nobody can see. 66 % is mini-Xception's paper, 73.28 % a VGG and 73.70 % a
ResNet of which the code picks the epoch on PrivateTest; neither has the layers of ours. Our own have nobody else's.
"""

PACKAGE_STATES = (0.66, 0.71)

HEADER = (
    "system",
    "classes",
    "test images",
    "the commonest class",
    "accuracy (95 %)",
    "macro F1",
    "parameters",
    "million multiply-adds",
    "best epoch",
    "training, s",
    "ms a face",
    "authors state",
)


class Row(NamedTuple):
    """What table and plot show of a system; accuracies are shares, 0 to 1."""

    name: str
    classes: int
    images: int
    commonest: float
    accuracy: float
    low: float
    high: float
    macro_f1: float
    parameters: int
    multiply_adds: int
    epochs: str
    seconds: str
    milliseconds: float
    stated: tuple[float, float] | None


def write_report() -> None:
    """Write the table into docs/figures.md, between its marks, and the plot."""
    rows = read_rows()
    write_between(PAGE, MARKS, render_table(rows))
    save_figure(plot_accuracy(rows), PLOT)


def read_rows() -> list[Row]:
    """Return a row for each system that has figures, then one for the package `fer`."""
    latency = _read(LATENCY)["milliseconds_a_face"]
    names = [name for name in SYSTEMS if (FOLDER / name).exists()]
    untimed = [name for name in names if name not in latency]
    if untimed:
        raise InputError(f"{LATENCY} lacks {', '.join(untimed)}; run `python -m benchmarks.comparison` once more")
    rows = [_system(name, latency[name]) for name in names]
    return [*rows, _package()] if PACKAGE.exists() else rows


def _system(name: str, milliseconds: float) -> Row:
    evaluation, training, run = (_read(FOLDER / name / f"{file}.json") for file in ("evaluate", "train", "run"))
    return Row(
        f"`{name}`",
        *_scores(evaluation),
        parameters=training["parameters"],
        multiply_adds=training["multiply_adds"],
        epochs=f"{training['best_epoch']} of {training['epochs']}",
        seconds=f"{run['seconds']:,}",
        milliseconds=milliseconds,
        stated=SYSTEMS[name],
    )


def _package() -> Row:
    package = _read(PACKAGE)
    return Row(
        f"package `fer` {package['version']}",
        *_scores(package),
        parameters=package["parameters"],
        multiply_adds=package["multiply_adds"],
        epochs="",
        seconds="",
        milliseconds=package["milliseconds_a_face"]["own_tflite"],
        stated=PACKAGE_STATES,
    )


def _scores(report: dict[str, Any]) -> tuple[int, int, float, float, float, float, float]:
    test = report["test"]
    commonest = max(scores["support"] for scores in report["by_class"].values()) / test["images"]
    accuracy = (test[name] for name in ("accuracy", "accuracy_low", "accuracy_high"))
    return len(report["by_class"]), test["images"], commonest, *accuracy, test["macro_f1"]


def _read(path: Path) -> dict[str, Any]:
    return read_json(path, "run `python -m benchmarks.comparison` first")


def render_table(rows: Sequence[Row]) -> str:
    """Return the table as Markdown."""
    lines = [" | ".join(cells) for cells in (HEADER, ("---",) * len(HEADER), *map(_cells, rows))]
    return "".join(f"| {line} |\n" for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        str(row.classes),
        f"{row.images:,}",
        f"{100 * row.commonest:.1f} %",
        f"{100 * row.accuracy:.1f} % ({100 * row.low:.1f} to {100 * row.high:.1f})",
        f"{row.macro_f1:.3f}",
        f"{row.parameters:,}",
        f"{row.multiply_adds / 1e6:.1f}",
        row.epochs,
        row.seconds,
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
        "Dots: accuracy here, with the 95 % interval. Light bars: what the authors of the design state, most of them "
        "on splits of their own. Gray ticks: always answering with the commonest emotion.",
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
    axes.set_yticks(range(len(rows)), [row.name.replace("`", "") for row in rows])
    axes.grid(visible=False, axis="y")
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(20, 101)
