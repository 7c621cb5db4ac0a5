"""`emotion preset`: the params of a data set or published system."""

import argparse
import sys


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "preset",
        help="write the params of a data set or published system into params.yaml",
        description="Write the params of a data set or published system into params.yaml; its comments and the "
        "values that the preset does not name stay. Without NAME: list the presets.",
        epilog="Example: emotion preset fer2013 && cp ~/Downloads/fer2013.tar.gz data/raw/ && dvc repro",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="the preset, such as fer2013")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the preset, or list them all; InputError where there is no such preset."""
    from emotion.app.preset.presets import apply_preset, describe_preset, find_preset, list_presets

    if arguments.name is None:
        presets = list_presets()
        width = max(map(len, presets), default=0)
        for name, line in presets.items():
            print(f"{name:{width}}  {line}")
        return
    changes = apply_preset(arguments.name)
    for change in changes:
        print(f"{change.key}: {_shown(change.before)} -> {_shown(change.after)}")
    print(f"params.yaml: {len(changes)} values changed" if changes else "params.yaml has these values already")
    print(f"\n{describe_preset(find_preset(arguments.name))}", file=sys.stderr)


def _shown(value: object) -> str:
    return "null" if value is None else str(value)
