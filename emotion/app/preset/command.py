"""`emotion preset`: the params of a data set or published system."""

import argparse
import sys
from collections.abc import Mapping

RENAMED_PRESETS = {"happy-sad-grey": "happy-sad-grayscale"}
"""Names of earlier versions, and those of today."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "preset",
        help="write the params of a data set or published system into params.yaml",
        description="Write the params of a data set or published system into params.yaml. Its comments stay, and so do "
        "values that the preset does not name. Without NAME: list the presets.",
        epilog="Example: emotion preset fer2013 && cp ~/Downloads/fer2013.tar.gz data/raw/ && dvc repro",
    )
    parser.add_argument("name", nargs="?", type=_preset_name, metavar="NAME", help="the preset, such as fer2013")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the preset, or list them all; InputError where there is no such preset."""
    from emotion.app.preset.presets import apply_preset, describe_preset, find_preset, list_presets, to_yaml

    if arguments.name is None:
        _print_list(list_presets())
        return
    changes = apply_preset(arguments.name)
    for change in changes:
        print(f"{change.key}: {to_yaml(change.before)} -> {to_yaml(change.after)}")
    print(f"params.yaml: {len(changes)} values changed" if changes else "params.yaml has these values already")
    print(f"\n{describe_preset(find_preset(arguments.name))}", file=sys.stderr)


def _preset_name(text: str) -> str:
    """Return `text`, for `type=` of the argument; refuse names of earlier versions."""
    if text in RENAMED_PRESETS:
        raise argparse.ArgumentTypeError(f"{text} was renamed; write {RENAMED_PRESETS[text]}")
    return text


def _print_list(presets: Mapping[str, str]) -> None:
    """Print one line per preset; on a terminal, lines that are too long go on below their own column."""
    if not sys.stdout.isatty():
        width = max(map(len, presets), default=0)
        print("\n".join(f"{name:{width}}  {line}" for name, line in presets.items()))
        return
    # Only a terminal needs rich.
    from rich.console import Console
    from rich.table import Table

    table = Table.grid("name", "line", padding=(0, 2))
    table.columns[0].no_wrap = True
    for name, line in presets.items():
        table.add_row(name, line)
    Console(markup=False, emoji=False, highlight=False).print(table)
