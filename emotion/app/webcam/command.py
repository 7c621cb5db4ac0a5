"""The `webcam` command: its arguments, and what runs it."""

import argparse
from pathlib import Path

from emotion.app.arguments import RenamedOption, add_predictor_arguments, make_predictor
from emotion.app.tracking_arguments import add_tracking_arguments, nonnegative_seconds
from emotion.app.webcam.defaults import FIRST_IMAGE_TIMEOUT

DESCRIPTION = """\
Show the camera in a window, with each face boxed, numbered and labeled and a bar for the probability of each emotion.
Nothing is saved unless a key asks for it, and nothing leaves this machine."""

DETAILS = """\
keys:
  q, Esc  quit                           m  mirror on or off
  space   pause, and go on               b  bars on or off
  s       save the image that shows      h  hide or show the keys

exit status:
  0  a key, or the end of a file, ended it
  1  there is no display or no camera, another program has it, or it was unplugged
  2  the arguments are wrong

examples:
  emotion webcam
  emotion webcam --camera 1 --smallest 80
  emotion webcam --camera holiday.mp4 --loop    a video in the camera's place"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `webcam` to the commands of `emotion`."""
    parser = commands.add_parser(
        "webcam",
        help="show the camera live, with the faces boxed and labeled",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--camera",
        default="0",
        metavar="CAMERA",
        help="the camera, counted from 0, or a video file to play in its place (%(default)s)",
    )
    parser.add_argument("--loop", action="store_true", help="play a file again and again")
    parser.add_argument("--no-mirror", action="store_true", help="show the image as the camera sees it, not mirrored")
    parser.add_argument(
        "--wait",
        type=nonnegative_seconds,
        default=FIRST_IMAGE_TIMEOUT,
        metavar="SECONDS",
        help="the time that the camera has for its first image (%(default)s)",
    )
    parser.add_argument(
        "--images",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help="the folder in which the key s saves images (the working folder)",
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
