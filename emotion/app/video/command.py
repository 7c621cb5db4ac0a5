"""The `video` command: its arguments, what it prints and its exit status."""

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.app.arguments import add_predictor_arguments, make_predictor, positive_int
from emotion.app.outputs import add_overwrite_argument
from emotion.app.tracking_arguments import add_tracking_arguments, positive_seconds

if TYPE_CHECKING:  # at run time it would load OpenCV
    from emotion.app.video.output_files import OutputFiles
    from emotion.app.video.summary import Summary
    from emotion.inference.live_stream import LiveStream
    from emotion.inference.video_reader import VideoReader

CUT_OFF, NO_FACE = 3, 1
"""Exit statuses: the video ends early; it shows no face."""

DESCRIPTION = """\
Track the faces in a video and predict their emotions. Write the video again
with boxes, numbers and labels, or write a table of all faces, or both.

Without --output and --csv, holiday.mov becomes holiday-emotions.mp4 in the
current folder."""

DETAILS = """\
faces:
  Every frame is searched for faces. With --search 0.15 there is a search every
  0.15 seconds, and boxes follow the motion of the image in between. This takes
  less processor time where videos are large.
  A face that appears later is shown after two searches have found it.
  A face that leaves or is hidden keeps its number for three seconds, in case it
  returns.
  Boxes and probabilities are smoothed (--smooth).

source:
  With the extra [video], that is PyAV, all videos that FFmpeg knows are read:
    pip install 'facial-emotion-pipeline[video]'
  Without it, OpenCV reads most. It cannot read interlaced videos, which come
  from camcorders, DVDs and television. They are refused.
  Frames are turned as the file asks, and get square pixels.

new video:
  With [video] it is H.264, which browsers and phones play. Frames keep their
  times, and the sound is copied unchanged. --no-sound leaves it out.
  Without [video], and in .avi files, the frame rate is constant. Frames are
  repeated or left out, so that each shows at its time. Without [video] there
  is no sound, and the codec is MPEG-4 Part 2. VLC and mpv play that; browsers
  do not.

table:
  It has one row per face and frame.
    frame, seconds       number and time of the frame, both from 0
    face                 number of the face, from 1
    detected             1: found in this frame. 0: tracked from an earlier one
    emotion, confidence  predicted emotion and its probability
    x, y, width, height  box in pixels of the frame as it is shown: turned, and
                         with square pixels; x and y are the upper left corner
    happy, sad, ...      probability of each emotion

streams:
  VIDEO can be an address that begins with rtsp, rtsps, http or https.
  A stream without end is connected again where it breaks off, at most 5 times
  in a row. --seconds ends it, and so does Ctrl-C. Both complete the files.
  Of the address only the host is printed, since the rest may hold a password.

unfinished files:
  A file has a hidden name until it is complete. After Ctrl-C or an error, it is
  called NAME.partial.mp4 or NAME.partial.csv, and has all frames up to there.

exit status:
  0    the whole video was read, and it shows a face
  1    the video shows no face (the files are written), or it cannot be read,
       or a file cannot be written
  2    the command line is wrong
  3    the video is broken and ends early, or a stream is lost; the frames
       before are written
  130  Ctrl-C ended the command

examples:
  emotion video holiday.mp4                     write holiday-emotions.mp4
  emotion video talk.mp4 --csv talk.csv         write the table only, faster
  emotion video talk.mp4 -o new.mp4 --every 5   run the model less often
  emotion video talk.mp4 --search 0 --smooth 0  read each frame as an image
  emotion video rtsp://camera.local/1 --csv cam.csv --seconds 60
                                                read a minute of a stream"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `video` to the commands of `emotion`."""
    parser = commands.add_parser(
        "video",
        help="write a video with boxed and labeled faces, or a table of them",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="VIDEO", help="video to read, or the address of a stream")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="video to write: .mp4, .mov, .mkv or .avi")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="table to write")
    add_overwrite_argument(parser)
    parser.add_argument(
        "--every",
        type=positive_int,
        default=1,
        metavar="N",
        help="run the model on every Nth frame. Other frames repeat its probabilities (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds", type=positive_seconds, default=math.inf, metavar="SECONDS", help="read only so much of the video"
    )
    parser.add_argument("--no-sound", action="store_true", help="leave the sound out of the new video")
    parser.add_argument("--no-bars", action="store_true", help="do not draw bars for the probabilities")
    add_tracking_arguments(parser)
    add_predictor_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Read a video and write the files that the arguments name.

    Raises:
        InputError: the video cannot be read, or a file cannot be written.
        SystemExit: the video ends early, or shows no face.
    """
    from emotion.app.video.output_files import OutputFiles
    from emotion.app.video.processing import process_video
    from emotion.app.video.sources import file_of, is_endless, open_source
    from emotion.inference.tracking import FaceTracker

    outputs = OutputFiles(*_choose_paths(arguments))
    outputs.check(file_of(arguments.source), overwrite=arguments.overwrite)
    with open_source(arguments.source, time_limit=arguments.seconds) as reader:
        predictor = make_predictor(arguments)
        tracker = FaceTracker(
            predictor, search_every=arguments.search, classify_every=arguments.every, half_life=arguments.smooth
        )
        try:
            summary = process_video(
                reader,
                tracker,
                outputs,
                emotions=predictor.emotions,
                bars=not arguments.no_bars,
                time_limit=arguments.seconds,
                completed_by_interrupt=is_endless(reader),
                sound=not arguments.no_sound,
            )
        except BaseException:
            _print_partial_files(outputs)
            raise
    print(summary.describe(outputs.paths))
    _exit_if_incomplete(summary, reader)


def _choose_paths(arguments: argparse.Namespace) -> tuple[Path | None, Path | None]:
    """Return the paths of the video and the table to write."""
    from emotion.app.video.sources import default_output

    if arguments.output is None and arguments.csv is None:
        return default_output(arguments.source), None
    return arguments.output, arguments.csv


def _print_partial_files(outputs: "OutputFiles") -> None:
    if outputs.kept:
        print(*(f"\n{path} has the frames up to here" for path in outputs.kept), sep="", file=sys.stderr)


def _exit_if_incomplete(summary: "Summary", reader: "VideoReader | LiveStream") -> None:
    """Exit with NO_FACE or CUT_OFF if the video shows no face or ends early; warn if it ends early."""
    problem = reader.failure
    if summary.missing_frames:
        declared = summary.frames + summary.missing_frames
        problem = f"{reader.name} is cut off or broken: it ends after frame {summary.frames} of {declared}"
    if problem:
        print(f"warning: {problem}. The frames before are written", file=sys.stderr)
    if not summary.faces:
        sys.exit(NO_FACE)
    if problem:
        sys.exit(CUT_OFF)
