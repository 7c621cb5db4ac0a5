"""`emotion evaluate`: the figures of any model file on any labeled images."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.app.arguments import add_cluster_argument, add_predictor_arguments, limit_threads
from emotion.app.outputs import add_overwrite_argument, check_output
from emotion.core.errors import InputError
from emotion.core.stores import locate
from emotion.parallel.address import use_cluster

if TYPE_CHECKING:  # at run time they would load NumPy
    from emotion.app.evaluate.evaluation import Choices

STDOUT = "-"

DESCRIPTION = """\
Score a model file on labeled images that it was not trained on. Each image is
read as emotion predict reads it: its largest face is found, cut out, and
classified. Emotions of model and data are matched by name."""

DETAILS = """\
data:
  A folder with a folder per emotion, an archive, a manifest or a table of
  pixels: whatever the pipeline reads. docs/layouts.md lists the layouts.
  A manifest is a CSV file with the columns image and emotion.
  A folder may lie in a store: s3://BUCKET/FOLDER, gs://, az:// or ssh://.
  Of data with splits, the test split is scored, or else the validation
  split. --split chooses another one, or all.

scores:
  Images of emotions that the model lacks are counted and not scored. The
  model may answer any of its emotions. An answer that the data does not have
  is wrong.
  Where no face is found, the whole image is taken. The figures are given over
  all images, and over those with a face.
  Mirror images are averaged where the model's own evaluation did so, as
  emotion predict does. So the figures are those that users of the model get.
  Intervals come from 1,000 bootstrap samples: of persons or sequences where
  the data names them, else of images.

json:
  model, data, faces and intervals say what was measured; data names the
  images that cannot be read, and the reasons. all and found have the figures,
  with by_emotion. confusion has the number of images by actual and by
  predicted emotion. groups compares the values of columns. Shares are from 0
  to 1.

exit status:
  0  the model is scored
  1  model or data cannot be used; the message says why
  2  the command line is wrong

examples:
  emotion evaluate --data photos                     score the default model
  emotion evaluate --model photo --data faces.tar    score a released model
  emotion evaluate --data crops --detector whole     images of one face each
  emotion evaluate --data people.csv --groups sex    compare groups
  emotion evaluate --data people.csv --json -        print JSON
  emotion evaluate --data photos --plot plot.png     plot the confusions
  emotion evaluate --data photos --emotions happy,sad"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "evaluate",
        help="score a model file on labeled images",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data", required=True, metavar="PATH", help="folder, archive or table of images, or s3://BUCKET/FOLDER"
    )
    parser.add_argument("--split", choices=("test", "val", "train", "all"), help="images to score (default: test)")
    parser.add_argument(
        "--emotions", type=_names, metavar="NAMES", help="score images of these emotions only, such as happy,sad"
    )
    parser.add_argument(
        "--numbers", metavar="NAME", help="meaning of numbers as labels: fer2013, rafdb, ..., or '{0: happy, 1: sad}'"
    )
    parser.add_argument(
        "--scheme", metavar="CLASSES", help="classes that join emotions, such as '[{positive: [happy, surprise]}]'"
    )
    parser.add_argument(
        "--groups",
        type=_names,
        action="extend",
        default=[],
        metavar="COLUMNS",
        help="compare images by these columns, such as age,sex",
    )
    parser.add_argument(
        "--flip", action=argparse.BooleanOptionalAction, help="average with mirror images (default: as the model does)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the report as JSON; - prints it in place of the table")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write the confusions as a plot, a .png file")
    add_overwrite_argument(parser)
    add_cluster_argument(parser)
    add_predictor_arguments(parser, formats="the name of a release, or a .keras, .tflite or .onnx file")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the figures, and write JSON and plot; raise InputError where model or data cannot be used."""
    arguments.data = locate(arguments.data)
    _check_paths(arguments)
    use_cluster(arguments.cluster)
    from emotion.app.evaluate.evaluation import evaluate
    from emotion.app.evaluate.option_values import find_model, named_as_options
    from emotion.app.evaluate.output import to_json, write_plot
    from emotion.app.evaluate.terminal_report import describe
    from emotion.app.file_hash import hash_file
    from emotion.core.files import write_json
    from emotion.runtimes.engines import load_engine

    choices, model = _read_choices(arguments), find_model(arguments.model)
    _check_nothing_is_lost(arguments, model)
    if arguments.threads:
        limit_threads(model, arguments.threads)
    engine = load_engine(model, threads=arguments.threads)
    with named_as_options():
        report = evaluate(engine, arguments.data, choices)
    report["model"] = {"file": model.as_posix(), "sha256": hash_file(model), **report["model"]}
    # First of all, since a file may fail to be written.
    print(to_json(report) if arguments.json == STDOUT else describe(report), flush=True)
    targets = _targets(arguments)
    if "--plot" in targets:
        write_plot(report, targets["--plot"])
    if "--json" in targets:
        write_json(targets["--json"], report)


def _check_paths(arguments: argparse.Namespace) -> None:
    """Raise InputError where the data is missing or a file cannot be written, before anything is loaded."""
    if isinstance(arguments.data, Path) and not arguments.data.exists():
        raise InputError(f"--data: {arguments.data} does not exist; name a folder, an archive or a table of images")
    for option, target in _targets(arguments).items():
        check_output(
            target,
            overwrite=arguments.overwrite,
            option=option,
            suffixes=[".png"] if option == "--plot" else [],
        )


def _check_nothing_is_lost(arguments: argparse.Namespace, model: Path) -> None:
    """Raise InputError where a file to write is the model or one of the data, or where both files are one.

    A plot among the images would be one of them the next time.
    """
    targets = {option: target.resolve() for option, target in _targets(arguments).items()}
    data = arguments.data.resolve() if isinstance(arguments.data, Path) else None
    for option, target in targets.items():
        if target == model.resolve():
            raise InputError(f"{option}: got {target}, which is the model; name another file")
        if data and target.is_relative_to(data) and (target.exists() or option == "--plot"):
            raise InputError(f"{option}: got {target}, which is or lies in the data; name a file elsewhere")
    if len(set(targets.values())) < len(targets):
        raise InputError(f"--plot and --json: got {arguments.plot} for both; name two files")


def _targets(arguments: argparse.Namespace) -> dict[str, Path]:
    """Return the files to write by the options that name them."""
    named = {"--plot": arguments.plot, "--json": arguments.json if arguments.json != STDOUT else None}
    return {option: Path(path) for option, path in named.items() if path}


def _read_choices(arguments: argparse.Namespace) -> "Choices":
    from emotion.app.evaluate.crops import FaceSettings
    from emotion.app.evaluate.evaluation import Choices
    from emotion.app.evaluate.option_values import parse_numbers, parse_scheme

    return Choices(
        FaceSettings(arguments.detector, arguments.thorough, arguments.margin, arguments.smallest),
        arguments.flip,
        arguments.emotions,
        arguments.split,
        parse_scheme(arguments.scheme),
        parse_numbers(arguments.numbers),
        arguments.groups,
        list(_targets(arguments).values()),
    )


def _names(text: str) -> list[str]:
    """Return the names between commas, for `type=` of an argument."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected names with commas between, such as happy,sad")
    return names
