"""The `timeline` command: its arguments, and what runs it."""

import argparse
import sys
from pathlib import Path

from emotion.app.arguments import positive_int
from emotion.app.outputs import add_overwrite_argument, check_output

MOST_FACES = 8
SUFFIXES = (".png", ".html")

DESCRIPTION = """\
Draw the emotions of faces over time, from the table that `emotion video --csv`
or `emotion webcam --csv` wrote.

Without --output, talk.csv becomes talk-timeline.png and talk-timeline.html in
the current folder."""

DETAILS = """\
drawing:
  Each face has a band. The height of a color in it is the probability of an
  emotion, averaged over a column of equal time. Where a face was not
  found, its band is empty. Times start with the video.
  The share of an emotion is the part of the face's time in which it is the
  predicted one.
  The page needs no network and runs no script. It has the figures as a table.

table:
  A table whose last line is cut off, such as NAME.partial.csv, is drawn up to
  there, with a warning.

exit status:
  0    the files are written
  1    the table cannot be used, or has no face; nothing is written
  2    the command line is wrong

examples:
  emotion timeline talk.csv                 write talk-timeline.png and .html
  emotion timeline talk.csv -o page.html    write only the page
  emotion timeline talk.csv --faces 3       draw the three with most frames"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `timeline` to the commands of `emotion`."""
    parser = commands.add_parser(
        "timeline",
        help="draw emotions over time from a table of video or webcam",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("table", type=Path, metavar="TABLE", help="CSV file of emotion video or emotion webcam")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        action="append",
        metavar="FILE",
        help="file to write: .png or .html; can be repeated",
    )
    add_overwrite_argument(parser)
    parser.add_argument(
        "--faces",
        type=positive_int,
        default=MOST_FACES,
        metavar="N",
        help="number of faces to draw, those with most frames (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the timeline of a table.

    Raises:
        InputError: the table cannot be used, or a file cannot be written.
    """
    from emotion.app.timeline.page import write_page
    from emotion.app.timeline.picture import write_picture
    from emotion.app.timeline.table import FaceRows
    from emotion.app.timeline.timeline import read_timeline

    outputs = arguments.output or [Path(f"{arguments.table.stem}-timeline{suffix}") for suffix in SUFFIXES]
    for path in outputs:
        check_output(
            path, overwrite=arguments.overwrite, sources=[arguments.table], option="--output", suffixes=SUFFIXES
        )
    timeline = read_timeline(FaceRows(arguments.table), arguments.faces)
    if timeline.cut_off:
        print(f"warning: the last line of {arguments.table} is cut off; the rows before are drawn", file=sys.stderr)
    for path in outputs:
        write = write_page if path.suffix.lower() == ".html" else write_picture
        write(timeline, path)
        print(f"written: {path}")
