"""`emotion release`: what the pipeline just made, kept with its figures."""

import argparse


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "release",
        help="keep the model that the pipeline just made, with its figures",
        description="Write models/released/NAME: the model that the pipeline just made, its figures, plots and params, "
        "and a card that states them. The model files are plain files for git.",
        epilog="Example: dvc repro && emotion release fer2013 && git add models/released",
    )
    parser.add_argument("name", metavar="NAME", help="lowercase letters, digits and '-', such as fer2013-large")
    parser.add_argument("--replace", action="store_true", help="put it in the place of the release of that name")
    parser.add_argument(
        "--files",
        nargs="*",
        metavar="FILE",
        help="files to keep besides that of Keras: tflite, int8, onnx; all by default, none if no name follows",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the release; InputError where that cannot be."""
    from emotion.app.release.release import release

    print(release(arguments.name, replace=arguments.replace, files=arguments.files))
