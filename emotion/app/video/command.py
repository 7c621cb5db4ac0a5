"""`emotion video`: a video with its faces boxed and labeled, and a table of them."""

import argparse
import math
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.app.arguments import add_predictor_arguments, make_predictor, positive_int

if TYPE_CHECKING:  # at run time it would load OpenCV
    from emotion.app.video.processing import Summary, Targets

SEARCH_EVERY, HALF_LIFE = 0.15, 0.25
"""The same as in emotion.inference.tracking, which would load OpenCV."""

CUT_OFF, NO_FACE = 3, 1
"""The exit statuses of a video that ends before its end, and of one without a face; the same as of `predict`."""

DESCRIPTION = """\
Read the faces of a video: write it again with each face boxed, numbered and labeled, or a table with a row for each
face in each frame, or both. Without -o and --csv it writes NAME-emotions.mp4 into the working folder."""

DETAILS = """\
faces:
  Faces are searched for every 0.15 seconds and followed between. One that comes later counts once two searches have
  found it. It keeps its number as long as it stays, and for two seconds after. Boxes and probabilities are smoothed.

the new video:
  Sound is not carried over. Where frames come at a varying rate, some are repeated or left out, so that each shows at
  its time. .mp4 files are of MPEG-4's older kind (part 2), which players such as VLC and mpv show and browsers do not.

the table:
  frame, seconds            from 0, of the video that was read
  face                      its number
  detected                  1: found in this frame; 0: followed here from an earlier one
  emotion, confidence       what it shows, and how probable that is
  x, y, width, height       its box in pixels; x and y are the left upper corner
  and a column for each emotion with its probability

Until it is whole, a file is called NAME.partial.mp4 or .csv. After Ctrl-C it stays, with the frames up to there.

exit status:
  0    all of it was read, and there is a face in it
  3    the video is broken and ends early; what came before is written
  1    there is no face in it (it is written all the same), it cannot be read, or nothing can be written
  2    the arguments are wrong
  130  Ctrl-C ended it

examples:
  emotion video holiday.mp4                                      writes holiday-emotions.mp4
  emotion video talk.mp4 --csv talk.csv                          the table only, which is faster
  emotion video talk.mp4 -o boxed.mp4 --csv talk.csv --every 5
  emotion video talk.mp4 --search 0 --smooth 0                   each frame on its own, as predict reads an image"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `video` to the commands of `emotion`."""
    parser = commands.add_parser(
        "video",
        help="box and label the faces in a video, or write a table of them",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, metavar="IN", help="the video to read")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="OUT.mp4", help="the video to write: .mp4, .mov, .mkv or .avi"
    )
    parser.add_argument("--csv", type=Path, metavar="OUT.csv", help="the table to write")
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there already")
    parser.add_argument(
        "--every",
        type=positive_int,
        default=1,
        metavar="N",
        help="have the model read every Nth frame only; between, faces keep what it said (%(default)s)",
    )
    parser.add_argument("--no-bars", action="store_true", help="draw no bars of probabilities beside faces")
    add_following_arguments(parser)
    add_predictor_arguments(parser)
    parser.set_defaults(run=run)


def add_following_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --search and --smooth."""
    parser.add_argument(
        "--search",
        type=seconds,
        default=SEARCH_EVERY,
        metavar="SECONDS",
        help="how often to search for faces; 0: in every frame (%(default)s)",
    )
    parser.add_argument(
        "--smooth",
        type=seconds,
        default=HALF_LIFE,
        metavar="SECONDS",
        help="in how long half of a change shows in boxes and probabilities; 0: at once (%(default)s)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Read a video and write what is asked for.

    Raises:
        InputError: the video cannot be read, or a file cannot be written.
        SystemExit: the video ends before its end, or shows no face.
    """
    from emotion.app.video.processing import Targets, process_video
    from emotion.inference.tracking import FaceTracker
    from emotion.inference.videos import VideoReader

    targets = Targets(*_choose(arguments))
    targets.check(arguments.source, overwrite=arguments.overwrite)
    with VideoReader(arguments.source) as reader:
        predictor = make_predictor(arguments)
        tracker = FaceTracker(
            predictor, search_every=arguments.search, read_every=arguments.every, half_life=arguments.smooth
        )
        try:
            summary = process_video(reader, tracker, targets, emotions=predictor.emotions, bars=not arguments.no_bars)
        except KeyboardInterrupt:
            _tell_what_stays(targets)
            raise
    print(describe(summary, targets))
    _end(summary, arguments.source)


def seconds(text: str) -> float:
    """Return the seconds that `text` names, for `type=` of an argument."""
    with suppress(ValueError):
        if 0 <= float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"got {text!r}, expected seconds: a number from 0")


def describe(summary: "Summary", targets: "Targets") -> str:
    """Return what was in a video, and where it was written, in two lines or three."""
    faces = {0: "no face", 1: "1 face"}.get(summary.faces, f"{summary.faces} faces")
    lines = [f"{summary.frames} frames ({summary.seconds:.1f} s), {faces}"]
    if summary.faces:
        lines[0] += f", {summary.with_faces / summary.frames:.0%} of the frames show one"
    return "\n".join([*lines, *(f"written: {path}" for path in targets.paths)])


def _choose(arguments: argparse.Namespace) -> tuple[Path | None, Path | None]:
    """Return the video and the table that are to be written."""
    if arguments.output is None and arguments.csv is None:
        return Path(f"{arguments.source.stem}-emotions.mp4"), None
    return arguments.output, arguments.csv


def _tell_what_stays(targets: "Targets") -> None:
    from emotion.app.video.processing import partial_name

    for path in map(partial_name, targets.paths):
        if path.exists():
            print(f"\n{path} has the frames up to here", file=sys.stderr, end="")
    print(file=sys.stderr)


def _end(summary: "Summary", source: Path) -> None:
    """Warn of what is wrong with the video, and end with the exit status."""
    if summary.missing:
        promised = summary.frames + summary.missing
        print(
            f"warning: {source} ends after frame {summary.frames} of {promised}: it is cut off or broken; what came "
            "before is written",
            file=sys.stderr,
        )
    if not summary.faces:
        sys.exit(NO_FACE)
    if summary.missing:
        sys.exit(CUT_OFF)
