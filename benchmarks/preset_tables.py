"""The table of presets, with the size of each network: `python -m benchmarks.preset_tables` prints it.

It builds every network, so it loads Keras. That is why `tools.examples` runs it as a command.
"""

from pathlib import Path

from benchmarks.runs import read_preset
from benchmarks.tables import render_table
from emotion.app.preset.presets import PRESETS
from emotion.core.errors import run_command
from emotion.core.labels import resolve_scheme
from emotion.core.params import Params, TrainParams
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
    presets = {path.stem: read_preset(path.stem) for path in paths}
    ordered = sorted(presets, key=lambda name: (_count(presets[name]), name))
    return render_table(HEADER, [_cells(name, presets[name]) for name in ordered])


def _count(params: Params) -> int:
    return len(resolve_scheme(params.labels.scheme).emotions)


def _cells(name: str, params: Params) -> tuple[str, ...]:
    features = params.features
    parameters, multiply_adds = _measure(params)
    return (
        f"`{name}`",
        str(_count(params)),
        f"{features.image_size}x{features.image_size} {features.color}",
        _describe_network(params.train),
        number(parameters, 0),
        millions(multiply_adds),
    )


def _describe_network(train: TrainParams) -> str:
    """Return the architecture, the size that it enlarges images to, and its teachers."""
    parts = [f"`{train.architecture}`"]
    if train.inference_size:
        parts.append(f"images enlarged to {train.inference_size} pixels")
    if train.teachers:
        parts.append("taught by " + " and ".join(f"`{Path(teacher).stem}`" for teacher in train.teachers))
    return ", ".join(parts)


def _measure(params: Params) -> tuple[int, int]:
    """Return the parameters and multiply-adds of the network that a preset selects."""
    features, train = params.features, params.train
    network = build(train.architecture, features.image_size, features.channels, _count(params))
    if train.inference_size:
        network = resize_inside(network, features.image_size, train.inference_size)
    return network.count_params(), multiply_adds(network)


if __name__ == "__main__":
    main()
