"""`emotion predict`: the faces in images and their emotions."""

import argparse
import io
import shutil
import sys
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.app.arguments import add_cluster_argument, add_predictor_arguments, make_predictor, make_shared_predictor
from emotion.app.outputs import add_overwrite_argument
from emotion.app.termination import interrupted_by_termination
from emotion.parallel.address import scheduler_address, use_cluster

if TYPE_CHECKING:  # at run time they would load OpenCV
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from tqdm import tqdm

    from emotion.app.predict.csv_and_json import OutputFormat
    from emotion.app.predict.results import ImageResult, ResultCounts
    from emotion.app.predict.stored_files import ImageFile
    from emotion.core.stores import Location
    from emotion.inference.predictor import Predictor

    Write = Callable[[ImageResult], None]

TABLE, CSV, JSON = "table", "csv", "json"

DESCRIPTION = """\
Find the faces in images and predict their emotions.
The output has one line per face, in the order of the images."""

DETAILS = """\
images:
  A folder stands for all images in it and in the folders below. Hidden files
  and hidden folders are left out. Put a pattern in quotes, so that the shell
  passes it on unchanged.
  A folder may lie in a store: s3://BUCKET/FOLDER, gs://, az:// or ssh://.

output:
  A terminal gets a table. A file or another program gets CSV.
  --table, --csv and --json choose the format.

  --csv writes one line per face. An image without a face has one line too.
    path                 the image
    face                 number of the face, from 1, the largest first
    status               "ok", "no face", or "unreadable: " and the reason
    emotion, confidence  predicted emotion and its probability
    x, y, width, height  box in pixels; x and y are the upper left corner
    happy, sad, ...      probability of each emotion
  --json writes the same values: one object per image and line, with a list
  of faces.

  --parquet FOLDER writes the same columns as Parquet: part-00000.parquet and
  so on, each once it is whole. Readers take the folder as one table. Where the
  run ends early, the rows so far are there.

  A file name that is not UTF-8 keeps its bytes in CSV. JSON writes these
  bytes as \\udc80 to \\udcff.

cluster:
  --cluster has the workers of a Dask cluster read the images and write the
  annotated ones. They need the same files under the same paths, as in a folder
  that all machines mount. The output is the same. See docs/cluster.md.

annotated images:
  --annotate FOLDER writes each image that has a face into FOLDER, with boxes
  and labels. Subfolders stay as they are below PATH.
  JPEG files stay JPEG. All others become PNG. Small images are enlarged.
  Only annotated images of earlier runs are overwritten.

exit status:
  0    every image has a face
  1    no image has a face, or an argument cannot be used, such as the model
  2    the command line is wrong
  3    some images have no face or cannot be read; their lines say why
  130  Ctrl-C or `kill` ended the command

examples:
  emotion predict photo.jpg                      print a table
  emotion predict ~/Pictures --csv > faces.csv   read a folder, write CSV
  emotion predict 'photos/**/*.jpg' --json       read a pattern, print JSON
  emotion predict s3://bucket/photos --parquet faces
  emotion predict photo.jpg --annotate boxed     also write boxed/photo.jpg
  emotion predict faces --detector whole         images of one face each"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "predict",
        help="predict the emotions of the faces in images and folders",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="image, folder, or pattern such as 'photos/**/*.jpg'")
    output_format = parser.add_mutually_exclusive_group()
    for name, use in ((TABLE, "print a table"), (CSV, "print CSV"), (JSON, "print JSON")):
        output_format.add_argument(f"--{name}", dest="output_format", action="store_const", const=name, help=use)
    output_format.add_argument("--parquet", metavar="FOLDER", help="write Parquet files into this folder")
    add_overwrite_argument(parser)
    parser.add_argument(
        "--annotate", type=Path, metavar="FOLDER", help="write images with boxed and labeled faces into this folder"
    )
    add_cluster_argument(parser)
    add_predictor_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the result of each image; the exit status says whether all, some or no images have a face.

    Raises:
        InputError: the model or another argument cannot be used.
        SystemExit: with the exit status, unless every image has a face.
    """
    from tqdm import tqdm

    from emotion.app.predict.annotated_files import planned_targets
    from emotion.app.predict.image_files import collect_files
    from emotion.app.predict.results import ResultCounts

    use_cluster(arguments.cluster)
    open_output = _find_output(arguments)
    files = collect_files(arguments.paths, excluded=arguments.annotate)
    counts = ResultCounts()
    with interrupted_by_termination(), planned_targets(files, arguments.annotate) as targets:
        predictor = make_predictor(arguments)
        with (
            open_output(predictor.emotions, files) as write,
            tqdm(total=len(files), unit=" images", delay=1, disable=None, leave=False) as bar,
            closing(_predict(files, predictor, arguments, targets, bar.update)) as results,
        ):
            for result in results:
                counts.add(result)
                with _without_bar(bar):
                    write(result)
    _finish(counts, arguments)


def _predict(
    files: "Sequence[ImageFile]",
    predictor: "Predictor",
    arguments: argparse.Namespace,
    targets: "Mapping[Location, Path]",
    on_prepared: "Callable[[], object]",
) -> "Generator[ImageResult, None, None]":
    """Return an iterator over the results of all files, from here or from a cluster."""
    from emotion.app.predict.predict_files import cut_pieces, predict_pieces

    pieces = cut_pieces(files)
    address = scheduler_address()
    if address is None:
        return predict_pieces(pieces, predictor, threads=arguments.threads, targets=targets, on_prepared=on_prepared)
    from emotion.app.predict.on_cluster import predict_on_cluster

    shared = make_shared_predictor(arguments)
    return predict_on_cluster(
        pieces, shared, address, targets=targets, folder=arguments.annotate, on_prepared=on_prepared
    )


def _find_output(arguments: argparse.Namespace) -> "Callable[..., AbstractContextManager[Write]]":
    """Return what opens the output for some emotions and files; raise InputError where it cannot be used."""
    if not arguments.parquet:
        return partial(_open_text, _name_format(arguments))
    from emotion.app.predict.parquet_parts import find_earlier, open_parts
    from emotion.core.stores import locate

    folder = locate(arguments.parquet)
    earlier = find_earlier(folder, overwrite=arguments.overwrite)
    return lambda emotions, files: open_parts(folder, emotions, earlier)


def _name_format(arguments: argparse.Namespace) -> str:
    return arguments.output_format or (TABLE if sys.stdout.isatty() else CSV)


@contextmanager
def _open_text(name: str, emotions: "Sequence[str]", files: "Sequence[ImageFile]") -> "Iterator[Write]":
    output = _make_format(name, emotions, files)
    header = output.header()

    def write(result: "ImageResult") -> None:
        _print_lines([*header, *output.lines(result)])
        header.clear()

    yield write  # where the work fails before its first result, nothing is printed
    _print_lines(header)


def _make_format(name: str, emotions: "Sequence[str]", files: "Sequence[ImageFile]") -> "OutputFormat":
    """Return the format called `name`, and set the encoding of standard output for it."""
    if name == TABLE:
        # Only a table needs rich.
        from emotion.app.predict.terminal_table import Table

        _reconfigure_stdout(errors="replace")
        columns = shutil.get_terminal_size().columns
        return Table(emotions, [file.path for file in files], columns=columns, encoding=sys.stdout.encoding)
    from emotion.app.predict.csv_and_json import Csv, Json

    _reconfigure_stdout(encoding="utf-8", errors="surrogateescape", newline="\n")
    return Csv(emotions) if name == CSV else Json(emotions)


def _reconfigure_stdout(**options: "Any") -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(**options)


def _without_bar(bar: "tqdm[Any]") -> "AbstractContextManager[None]":
    """Hide the progress bar during the block where it shows on the same terminal as the output."""
    if bar.disable or not sys.stdout.isatty() or bar.last_print_t < bar.start_t + bar.delay:
        return nullcontext()
    without_bar: AbstractContextManager[None] = bar.external_write_mode(file=sys.stdout)
    return without_bar


def _print_lines(lines: "Sequence[str]") -> None:
    for line in lines:
        print(line, flush=True)


def _finish(counts: "ResultCounts", arguments: argparse.Namespace) -> None:
    """Print the counts and end with the exit status. A program gets the counts only if an image has no face."""
    if arguments.parquet:
        print(f"{counts}; written to {arguments.parquet}", file=sys.stderr)
    elif _name_format(arguments) == TABLE:
        print(f"\n{counts}")
    elif counts.exit_status:
        print(counts, file=sys.stderr)
    if counts.exit_status:
        sys.exit(counts.exit_status)
