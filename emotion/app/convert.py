"""`emotion convert`: a trained model in another file format."""

import argparse
from pathlib import Path

from emotion.app.outputs import add_overwrite_argument, check_output
from emotion.core.errors import InputError
from emotion.core.paths import MODEL

DESCRIPTION = """\
Write a trained model in another format. The suffix of the new file names it:
.onnx (ONNX), .tflite (TensorFlow Lite) or .h5 (the older format of Keras)."""

SUFFIXES = (".onnx", ".tflite", ".h5")

DETAILS = """\
examples:
  emotion convert models/released/photo/model.keras model.onnx  for ONNX"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "convert",
        help="write a trained model in another format, such as .onnx",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, metavar="MODEL", help="model file of this project: .keras")
    parser.add_argument("target", type=Path, metavar="FILE", help="file to write")
    add_overwrite_argument(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the new file; raise InputError where a name cannot be used."""
    if arguments.source.suffix != MODEL.suffix:
        raise InputError(f"{arguments.source}: expected a {MODEL.suffix} file; those of other formats are final")
    check_output(arguments.target, overwrite=arguments.overwrite, sources=[arguments.source], suffixes=SUFFIXES)
    from emotion.model_files import keras_setup  # noqa: F401  # first of all, since it keeps TensorFlow quiet
    from emotion.runtimes.conversion import convert

    convert(arguments.source, arguments.target)
    print(f"{arguments.target}: {arguments.target.stat().st_size / 2**20:.1f} MiB")
