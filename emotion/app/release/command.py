"""`emotion release`: keeps the model that the pipeline made, with its figures."""

import argparse

from emotion.app.arguments import RenamedOption

DESCRIPTION = """\
Keep the model that dvc repro made as models/released/NAME, with its metrics,
plots, params and a model card, and name it among the artifacts of dvc.yaml.
Commit both with git afterwards."""

DETAILS = """\
examples:
  emotion release fer2013-large            keep the model in all formats
  emotion release fer2013-large --overwrite  replace this release
  emotion release tiny --files keras int8  keep model.keras and int8 only"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "release",
        # argparse writes NAME last, where --files would take it for a format.
        usage="emotion release [-h] NAME [--overwrite] [--files FORMAT [FORMAT ...]]",
        help="keep the model that the pipeline made, with its results",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="NAME", help="name of the release: lowercase letters, digits and '-'")
    parser.add_argument("--overwrite", action="store_true", help="replace the release of this name")
    parser.add_argument("--replace", action=RenamedOption, new="--overwrite")
    parser.add_argument(
        "--files",
        nargs="+",
        metavar="FORMAT",
        help="formats to keep: keras, tflite, int8, onnx (default: all)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the release; raise InputError where that is not possible."""
    from emotion.app.release.release import release

    print(release(arguments.name, overwrite=arguments.overwrite, files=arguments.files))
