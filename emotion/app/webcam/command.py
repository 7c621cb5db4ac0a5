"""The `webcam` command: its arguments, and what runs it."""

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.app.arguments import RenamedOption, add_predictor_arguments, make_predictor
from emotion.app.outputs import add_overwrite_argument
from emotion.app.termination import interrupted_by_termination
from emotion.app.tracking_arguments import add_tracking_arguments, nonnegative_seconds, positive_seconds
from emotion.app.webcam.defaults import FIRST_IMAGE_TIMEOUT, STREAM_TIMEOUT
from emotion.core.errors import InputError

if TYPE_CHECKING:
    from emotion.app.video.output_files import OutputFiles
    from emotion.app.webcam.recorder import Recorder

DESCRIPTION = """\
Show the camera in a window. Each face has a box, a number, a label and a bar
for the probability of each emotion.

Images are saved when you press s, and recorded with --output and --csv.
Nothing leaves this machine."""

DETAILS = """\
keys:
  q, Esc  quit                    m  mirror on or off
  space   pause or continue       b  bars on or off
  s       save the image          h  list of keys on or off

streams:
  --camera takes an address that begins with rtsp, rtsps, http or https. The
  newest image shows, and others are left out. A stream that breaks off is
  connected again, at most 5 times in a row.
  Of the address only the host is printed, since the rest may hold a password.

recording:
  --output writes the image with boxes, --csv a table of the faces. Its columns
  are those of `emotion video --csv`. Both show what the camera sees: they are
  not mirrored, so that boxes in the table fit the video. Times count from the
  first frame. A pause is not recorded, and time goes on.
  A file has a hidden name until it is complete. If the recording fails, what
  there is of it is called NAME.partial.mp4 or NAME.partial.csv.
  A key, --seconds, Ctrl-C and a camera that is gone all complete the files.
  `emotion timeline` draws the table.

exit status:
  0    a key, --seconds or the end of a video file ended it, or Ctrl-C ended
       a recording
  1    there is no display, no camera, or no more images from the camera, or a
       file cannot be written
  2    the command line is wrong
  130  Ctrl-C ended the command, and nothing was recorded

examples:
  emotion webcam                                show the first camera
  emotion webcam --camera 1 --smallest 80       second camera, larger faces
  emotion webcam --camera holiday.mp4 --loop    play a video instead
  emotion webcam --camera rtsp://USER:PASSWORD@192.168.1.20/stream1
                                                show a camera in the network
  emotion webcam -o me.mp4 --csv me.csv         record image and faces
  emotion webcam --no-window --csv me.csv --seconds 60
                                                record a minute, no display"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `webcam` to the commands of `emotion`."""
    parser = commands.add_parser(
        "webcam",
        help="show the camera live, with boxed and labeled faces",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--camera",
        default="0",
        metavar="CAMERA",
        help="number of the camera, from 0, the address of a stream, or a video file (default: %(default)s)",
    )
    parser.add_argument("--loop", action="store_true", help="repeat the video file without end")
    parser.add_argument("--no-mirror", action="store_true", help="do not mirror the camera's image")
    parser.add_argument(
        "--wait",
        type=nonnegative_seconds,
        metavar="SECONDS",
        help=f"time to wait for the first image (default: {FIRST_IMAGE_TIMEOUT:g}, or {STREAM_TIMEOUT:g} for a stream)",
    )
    parser.add_argument(
        "--images",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help="folder where the key s saves images (default: the current folder)",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="video to record: .mp4, .mov, .mkv or .avi")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="table of the faces to record")
    add_overwrite_argument(parser)
    parser.add_argument("--no-bars", action="store_true", help="do not draw bars for the probabilities")
    parser.add_argument("--no-window", action="store_true", help="record without a display; Ctrl-C ends it")
    parser.add_argument(
        "--seconds", type=positive_seconds, default=math.inf, metavar="SECONDS", help="time after which it ends"
    )
    parser.add_argument("--pictures", action=RenamedOption, new="--images")
    add_tracking_arguments(parser)
    add_predictor_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Show the camera until a key ends it, and record it where the arguments say so.

    Raises:
        InputError: there is no display, the camera or the model cannot be used, or a file cannot be written.
    """
    from emotion.app.video.output_files import OutputFiles
    from emotion.app.webcam.recorder import Recorder

    outputs = OutputFiles(arguments.output, arguments.csv)
    outputs.check(Path(arguments.camera), overwrite=arguments.overwrite)
    if arguments.no_window and not outputs.paths:
        raise InputError("--no-window: nothing would be seen or kept; name a file with --csv or --output")
    recorder = Recorder(outputs, bars=not arguments.no_bars)
    if not outputs.paths:
        return _show(arguments, recorder)
    try:
        with interrupted_by_termination():
            _show(arguments, recorder)
    except KeyboardInterrupt:  # the usual end without a window; the files are complete
        print(file=sys.stderr)
    finally:
        _print_recorded(recorder, outputs)


def _show(arguments: argparse.Namespace, recorder: "Recorder") -> None:
    from emotion.app.webcam.live import run_webcam
    from emotion.inference.stream_address import is_address

    run_webcam(
        arguments.camera,
        lambda: make_predictor(arguments),
        recorder,
        first_image_timeout=arguments.wait,
        loop=arguments.loop,
        window=not arguments.no_window,
        mirror=not (arguments.no_mirror or is_address(arguments.camera) or Path(arguments.camera).is_file()),
        bars=not arguments.no_bars,
        time_limit=arguments.seconds,
        search_every=arguments.search,
        half_life=arguments.smooth,
        folder=arguments.images,
    )


def _print_recorded(recorder: "Recorder", outputs: "OutputFiles") -> None:
    """Print what was recorded, and warn of frames that were left out and of files that are not complete."""
    if not recorder.summary.frames:
        print("nothing was recorded: no frame came", file=sys.stderr)
        return
    for path in outputs.kept:
        print(f"warning: {path} is not complete; it has the frames until recording failed", file=sys.stderr)
    if recorder.dropped:
        print(
            f"warning: {recorder.dropped} frames are not recorded, since the disk or the processor was too slow",
            file=sys.stderr,
        )
    if not outputs.kept:
        print(recorder.summary.describe(outputs.paths))
