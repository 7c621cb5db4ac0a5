"""The table of presets, with the size of each network: `python -m benchmarks.preset_tables` prints it.

It builds every network, so it loads Keras. That is why `tools.examples` runs it as a command.
"""

from pathlib import Path
from typing import Any

from benchmarks.tables import render_table
from emotion.app.preset.presets import PRESETS
from emotion.core.errors import run_command
from emotion.core.labels import resolve_scheme
from emotion.core.params import read_yaml
from emotion.networks.cost import multiply_adds
from emotion.networks.inference_size import resize_inside
from emotion.networks.registry import build
from emotion.presentation.formats import millions, number

HEADER = ("preset", "emotions", "images", "network", "parameters", "million multiply-adds")

UNSIZED = ("folder",)
"""Presets without a size: their number of emotions depends on the images."""


def main() -> None:
    """Print the table."""
    run_command(lambda: print(render_presets(), end=""))


def render_presets() -> str:
    """Return the presets with their emotions, images and networks; the smallest number of emotions first."""
    paths = [path for path in PRESETS.glob("*.yaml") if path.stem not in UNSIZED]
    presets = sorted(((path, read_yaml(path)) for path in paths), key=lambda item: (_count(item[1]), item[0].stem))
    return render_table(HEADER, [_cells(path, preset) for path, preset in presets])


def _count(preset: dict[str, Any]) -> int:
    return len(resolve_scheme(preset["labels"]["scheme"]).emotions)


def _cells(path: Path, preset: dict[str, Any]) -> tuple[str, ...]:
    size, color = preset["features"]["image_size"], preset["features"]["color"]
    parameters, multiply_adds = _measure(preset)
    return (
        f"`{path.stem}`",
        str(_count(preset)),
        f"{size}x{size} {color}",
        _describe_network(preset["train"]),
        number(parameters, 0),
        millions(multiply_adds),
    )


def _describe_network(train: dict[str, Any]) -> str:
    """Return the architecture, the size that it enlarges images to, and its teachers."""
    given = train["teacher"] or []
    teachers = [given] if isinstance(given, str) else given
    parts = [f"`{train['architecture']}`"]
    if train["inference_size"]:
        parts.append(f"images enlarged to {train['inference_size']} pixels")
    if teachers:
        parts.append("taught by " + " and ".join(f"`{Path(teacher).stem}`" for teacher in teachers))
    return ", ".join(parts)


def _measure(preset: dict[str, Any]) -> tuple[int, int]:
    """Return the parameters and multiply-adds of the network that a preset selects."""
    size, channels = preset["features"]["image_size"], 3 if preset["features"]["color"] == "rgb" else 1
    network = build(preset["train"]["architecture"], size, channels, _count(preset))
    if preset["train"]["inference_size"]:
        network = resize_inside(network, size, preset["train"]["inference_size"])
    return network.count_params(), multiply_adds(network)


if __name__ == "__main__":
    main()
