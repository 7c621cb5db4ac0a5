"""The `emotion` command."""

import argparse
import sys

from emotion.errors import run_command


def main() -> None:
    """Run `emotion` with the arguments of the process."""
    arguments = _parser().parse_args()
    run_command(lambda: arguments.run(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="emotion", description="Facial-emotion recognition, as a DVC pipeline.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    preset = commands.add_parser(
        "preset",
        help="write the params of a data set or published system into params.yaml",
        description="Write the params of a data set or published system into params.yaml; its comments and the "
        "values that the preset does not name stay. Without NAME: list the presets.",
        epilog="Example: emotion preset fer2013 && cp ~/Downloads/fer2013.tar.gz data/raw/ && dvc repro",
    )
    preset.add_argument("name", nargs="?", metavar="NAME", help="the preset, such as fer2013")
    preset.set_defaults(run=_preset)
    return parser


def _preset(arguments: argparse.Namespace) -> None:
    from emotion.presets import apply_preset, describe_preset, find_preset, list_presets

    if arguments.name is None:
        for name, line in list_presets().items():
            print(f"{name:16} {line}")
        return
    changes = apply_preset(arguments.name)
    for change in changes:
        print(f"{change.key}: {_shown(change.before)} -> {_shown(change.after)}")
    print(f"params.yaml: {len(changes)} values changed" if changes else "params.yaml has these values already")
    print(f"\n{describe_preset(find_preset(arguments.name))}", file=sys.stderr)


def _shown(value: object) -> str:
    return "null" if value is None else str(value)
