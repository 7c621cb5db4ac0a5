"""`emotion predict`: the faces in images, and what they show."""

import argparse
import io
import shutil
import sys
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.app.arguments import add_predictor_arguments, make_predictor

if TYPE_CHECKING:  # at run time they would load OpenCV
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from tqdm import tqdm

    from emotion.app.predict.image_files import ImageFile
    from emotion.app.predict.output import Format
    from emotion.app.predict.reading import Tally

DESCRIPTION = """\
Find the faces in images and tell what they show: a line a face, in the order of the images."""

DETAILS = """\
PATH is an image, a folder (with all images in it and in the folders below, less hidden ones), or a pattern in
quotes such as 'photos/**/*.jpg'.

what is printed:
  On a terminal a table; into a file or another program CSV, unless --table, --csv or --json says otherwise.
  --csv    path, face, status, emotion, confidence, x, y, width, height, then the probability of each emotion.
           A line a face, numbered from 1, the largest first; an image without one has one line, with its status:
           'ok', 'no face', or 'unreadable: ' and why. Boxes are in pixels, x and y of the left upper corner.
  --json   the same, an object a line for each image, its faces in a list.
  File names that are no UTF-8 keep their bytes in CSV; JSON holds these bytes as \\udc80 to \\udcff.

boxed images:
  --annotate writes those with a face, in folders as they lie below PATH. JPEG stays JPEG, all else becomes PNG, and
  small ones are enlarged. It writes over nothing but boxed images of an earlier run.

exit status:
  0  every image gave a face
  3  some did; the others have a line with their status
  1  none did, or the model or another argument cannot be used
  2  the arguments are wrong

examples:
  emotion predict photo.jpg
  emotion predict ~/Images --csv > faces.csv
  emotion predict 'photos/*.jpg' --json | head
  emotion predict photo.jpg --annotate boxed
  emotion predict faces/ --detector whole --model models/model.tflite"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "predict",
        help="images and folders: a table, CSV, JSON, boxed images",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="an image, a folder, or a pattern")
    output_format = parser.add_mutually_exclusive_group()
    for name, use in (("table", "print a table"), ("csv", "print CSV"), ("json", "print JSON")):
        output_format.add_argument(f"--{name}", dest="output_format", action="store_const", const=name, help=use)
    parser.add_argument(
        "--annotate", type=Path, metavar="DIR", help="write the images with their faces boxed into this folder"
    )
    add_predictor_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print what the images show; the exit status says whether all, some or none gave a face.

    Raises:
        InputError: the model or another argument cannot be used.
        SystemExit: with the exit status, unless every image gave a face.
    """
    from tqdm import tqdm

    from emotion.app.predict import annotated_files
    from emotion.app.predict.image_files import collect
    from emotion.app.predict.reading import Tally, read_images

    files = collect(arguments.paths, leave_out=arguments.annotate)
    targets = annotated_files.plan(files, arguments.annotate) if arguments.annotate else {}
    predictor = make_predictor(arguments)
    lines = _set_up_output(arguments, predictor.emotions, files)
    _print(lines.head())
    tally = Tally()
    with (
        tqdm(total=len(files), unit=" images", delay=1, disable=None, leave=False) as bar,
        closing(
            read_images(files, predictor, threads=arguments.threads, targets=targets, searched_one=bar.update)
        ) as readings,
    ):
        for reading in readings:
            tally.add(reading)
            with _beside(bar):
                _print(lines.lines(reading))
    _end(tally, lines)


def _set_up_output(arguments: argparse.Namespace, emotions: "Sequence[str]", files: "Sequence[ImageFile]") -> "Format":
    """Return what makes the lines, and make standard output fit for them."""
    from emotion.app.predict.output import Csv, Json, Table

    output_format = arguments.output_format or ("table" if sys.stdout.isatty() else "csv")
    if output_format != "table":
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")
        return Csv(emotions) if output_format == "csv" else Json(emotions)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    columns = shutil.get_terminal_size().columns
    return Table(emotions, [file.path for file in files], columns=columns, encoding=sys.stdout.encoding)


def _beside(bar: "tqdm[Any]") -> "AbstractContextManager[None]":
    """Take the progress bar away for the block where both go to one terminal."""
    return bar.external_write_mode(file=sys.stdout) if sys.stdout.isatty() else nullcontext()


def _print(lines: "Sequence[str]") -> None:
    for line in lines:
        print(line, flush=True)


def _end(tally: "Tally", lines: "Format") -> None:
    """Say what the images gave, unless a program reads it and all went well; end with the exit status."""
    from emotion.app.predict.output import Table

    if isinstance(lines, Table):
        print(f"\n{tally}")
    elif tally.exit_status:
        print(tally, file=sys.stderr)
    if tally.exit_status:
        sys.exit(tally.exit_status)
