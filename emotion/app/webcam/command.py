"""The `webcam` command: its arguments, and what runs it."""

import argparse
from pathlib import Path

from emotion.app.arguments import RenamedOption, add_predictor_arguments, make_predictor
from emotion.app.tracking_arguments import add_tracking_arguments, nonnegative_seconds
from emotion.app.webcam.defaults import FIRST_IMAGE_TIMEOUT

DESCRIPTION = """\
Show the camera in a window. Each face has a box, a number, a label and a bar
for the probability of each emotion.

An image is saved only when you press s. Nothing leaves this machine."""

DETAILS = """\
keys:
  q, Esc  quit                    m  mirror on or off
  space   pause or continue       b  bars on or off
  s       save the image          h  list of keys on or off

exit status:
  0    a key or the end of a video file ended it
  1    there is no display, no camera, or no more images from the camera
  2    the command line is wrong
  130  Ctrl-C ended the command

examples:
  emotion webcam                                show the first camera
  emotion webcam --camera 1 --smallest 80       second camera, larger faces
  emotion webcam --camera holiday.mp4 --loop    play a video instead"""


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
        help="number of the camera, from 0, or a video file to play instead (default: %(default)s)",
    )
    parser.add_argument("--loop", action="store_true", help="repeat the video file without end")
    parser.add_argument("--no-mirror", action="store_true", help="do not mirror the camera's image")
    parser.add_argument(
        "--wait",
        type=nonnegative_seconds,
        default=FIRST_IMAGE_TIMEOUT,
        metavar="SECONDS",
        help="time to wait for the camera's first image (default: %(default)s)",
    )
    parser.add_argument(
        "--images",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help="folder where the key s saves images (default: the current folder)",
    )
    parser.add_argument("--pictures", action=RenamedOption, new="--images")
    add_tracking_arguments(parser)
    add_predictor_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Show the camera until a key ends it.

    Raises:
        InputError: there is no display, or the camera or the model cannot be used.
    """
    from emotion.app.webcam.live import run_webcam

    run_webcam(
        arguments.camera,
        lambda: make_predictor(arguments),
        first_image_timeout=arguments.wait,
        loop=arguments.loop,
        mirror=not (arguments.no_mirror or Path(arguments.camera).is_file()),
        search_every=arguments.search,
        half_life=arguments.smooth,
        folder=arguments.images,
    )
