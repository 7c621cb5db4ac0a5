"""`emotion convert`: a trained model in another file format."""

import argparse
from pathlib import Path


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "convert",
        help="write a trained model in another format, such as .onnx",
        description="Write a trained model in the format that the new file's suffix names: .onnx, .tflite "
        "(TensorFlow Lite), or .h5 (Keras' older HDF5).",
        epilog="Example: emotion convert models/released/fer2013/model.keras model.onnx",
    )
    parser.add_argument("source", type=Path, metavar="MODEL", help="a model file that the pipeline wrote (.keras)")
    parser.add_argument("target", type=Path, metavar="FILE", help="the file to write; it must not exist yet")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the new file; InputError where a name cannot be used."""
    from emotion.model_files import keras_setup  # noqa: F401  # first of all, since it keeps TensorFlow quiet
    from emotion.runtimes.conversion import convert

    convert(arguments.source, arguments.target)
    print(f"{arguments.target}: {arguments.target.stat().st_size / 2**20:.1f} MiB")
