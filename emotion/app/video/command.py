"""The `video` command: its arguments, what it prints and its exit status."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.app.arguments import add_predictor_arguments, make_predictor, positive_int
from emotion.app.tracking_arguments import add_tracking_arguments
from emotion.inference.defaults import SEARCH_EVERY

if TYPE_CHECKING:  # at run time it would load OpenCV
    from emotion.app.video.output_files import OutputFiles
    from emotion.app.video.processing import Summary

CUT_OFF, NO_FACE = 3, 1
"""Exit statuses: the video ends before its declared end; it shows no face."""

DESCRIPTION = """\
Predict the emotions of the faces in a video: write it again with each face boxed, numbered and labeled, or a table with
one row per face and frame, or both. Without -o and --csv it writes NAME-emotions.mp4 into the working folder."""

DETAILS = f"""\
faces:
  Faces are searched for every {SEARCH_EVERY} seconds and tracked between. One that comes later counts once two searches
  have found it. It keeps its number as long as it stays, and for two seconds after. Boxes and probabilities are
  smoothed.

the new video:
  Sound is not carried over. Where frames come at a varying rate, some are repeated or left out, so that each shows at
  its time. .mp4 files are of MPEG-4's older kind (part 2), which players such as VLC and mpv show and browsers do not.

the table:
  frame, seconds            from 0, of the video that was read
  face                      its number
  detected                  1: found in this frame; 0: tracked here from an earlier one
  emotion, confidence       what it shows, and how probable that is
  x, y, width, height       its box in pixels; x and y are the upper left corner
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
  emotion video talk.mp4 --search 0 --smooth 0                   reads each frame alone, as predict reads an image"""


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
        help="run the model on every Nth frame only; between, faces keep their probabilities (%(default)s)",
    )
    parser.add_argument("--no-bars", action="store_true", help="draw no bars of probabilities beside faces")
    add_tracking_arguments(parser)
    add_predictor_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Read a video and write the files that the arguments name.

    Raises:
        InputError: the video cannot be read, or a file cannot be written.
        SystemExit: the video ends before its end, or shows no face.
    """
    from emotion.app.video.output_files import OutputFiles
    from emotion.app.video.processing import process_video
    from emotion.inference.tracking import FaceTracker
    from emotion.inference.video_reader import VideoReader

    outputs = OutputFiles(*_choose_paths(arguments))
    outputs.check(arguments.source, overwrite=arguments.overwrite)
    with VideoReader(arguments.source) as reader:
        predictor = make_predictor(arguments)
        tracker = FaceTracker(
            predictor, search_every=arguments.search, classify_every=arguments.every, half_life=arguments.smooth
        )
        try:
            summary = process_video(reader, tracker, outputs, emotions=predictor.emotions, bars=not arguments.no_bars)
        except KeyboardInterrupt:
            _print_partial_files(outputs)
            raise
    print(describe_video(summary, outputs))
    _exit_if_incomplete(summary, arguments.source)


def describe_video(summary: "Summary", outputs: "OutputFiles") -> str:
    """Return what was in a video, and the files written, in two or three lines."""
    faces = {0: "no face", 1: "1 face"}.get(summary.faces, f"{summary.faces} faces")
    lines = [f"{summary.frames} frames ({summary.seconds:.1f} s), {faces}"]
    if summary.faces:
        lines[0] += f", {summary.frames_with_faces / summary.frames:.0%} of the frames show one"
    return "\n".join([*lines, *(f"written: {path}" for path in outputs.paths)])


def _choose_paths(arguments: argparse.Namespace) -> tuple[Path | None, Path | None]:
    """Return the paths of the video and the table to write."""
    if arguments.output is None and arguments.csv is None:
        return Path(f"{arguments.source.stem}-emotions.mp4"), None
    return arguments.output, arguments.csv


def _print_partial_files(outputs: "OutputFiles") -> None:
    from emotion.app.video.output_files import partial_name

    for path in map(partial_name, outputs.paths):
        if path.exists():
            print(f"\n{path} has the frames up to here", file=sys.stderr, end="")
    print(file=sys.stderr)


def _exit_if_incomplete(summary: "Summary", source: Path) -> None:
    """Exit with NO_FACE or CUT_OFF if the video shows no face or ends early; warn if it ends early."""
    if summary.missing_frames:
        declared = summary.frames + summary.missing_frames
        print(
            f"warning: {source} ends after frame {summary.frames} of {declared}: it is cut off or broken; what came "
            "before is written",
            file=sys.stderr,
        )
    if not summary.faces:
        sys.exit(NO_FACE)
    if summary.missing_frames:
        sys.exit(CUT_OFF)
