"""`emotion preset`: the params of a data set or published system."""

import argparse
import sys
from collections.abc import Mapping

DESCRIPTION = """\
Write the values of a preset into params.yaml. A preset has the params of a
data set or of a published system. Comments and all other values stay.

Without NAME, list the presets."""

DETAILS = """\
examples:
  emotion preset          list the presets
  emotion preset fer2013  set params.yaml for FER2013

Next: copy the data into data/raw, then run dvc repro."""

RENAMED_PRESETS = {"happy-sad-grey": "happy-sad-grayscale"}
"""Names of presets in earlier versions, and their names now."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "preset",
        help="set params.yaml for a data set or a published system",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "name", nargs="?", type=_preset_name, metavar="NAME", help="name of the preset, such as fer2013"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the preset, or list all presets; raise InputError where there is no such preset."""
    from emotion.app.preset.presets import apply_preset, describe_preset, find_preset, list_presets, to_yaml
    from emotion.app.preset.private_results import forget_private_results

    if arguments.name is None:
        _print_list(list_presets())
        return
    changes = apply_preset(arguments.name)
    for change in changes:
        print(f"{change.key}: {to_yaml(change.before)} -> {to_yaml(change.after)}")
    print(f"params.yaml: {len(changes)} values changed" if changes else "params.yaml has these values already")
    if forgotten := forget_private_results():
        print(f"dvc.lock: results of private images forgotten ({', '.join(forgotten)}); dvc repro makes those of these")
    print(f"\n{describe_preset(find_preset(arguments.name))}", file=sys.stderr)


def _preset_name(text: str) -> str:
    """Return `text`, for `type=` of the argument; refuse names of earlier versions."""
    if text in RENAMED_PRESETS:
        raise argparse.ArgumentTypeError(f"{text} was renamed; write {RENAMED_PRESETS[text]}")
    return text


def _print_list(presets: Mapping[str, str]) -> None:
    """Print one line per preset; on a terminal, long lines are wrapped in their column."""
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
