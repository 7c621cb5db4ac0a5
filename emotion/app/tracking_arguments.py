"""The arguments of commands that track faces from frame to frame: --search and --smooth."""

import argparse
import math
from contextlib import suppress

from emotion.inference.defaults import HALF_LIFE, SEARCH_EVERY


def add_tracking_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --search and --smooth."""
    parser.add_argument(
        "--search",
        type=nonnegative_seconds,
        default=SEARCH_EVERY,
        metavar="SECONDS",
        help="time from one search for faces to the next. 0: search every frame (default: %(default)g)",
    )
    parser.add_argument(
        "--smooth",
        type=nonnegative_seconds,
        default=HALF_LIFE,
        metavar="SECONDS",
        help="time in which boxes and probabilities follow half of a change. 0: no smoothing (default: %(default)s)",
    )


def nonnegative_seconds(text: str) -> float:
    """Return the seconds that `text` names, for `type=` of an argument."""
    with suppress(ValueError):
        if 0 <= float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"got {text!r}, expected seconds: a number from 0")


def positive_seconds(text: str) -> float:
    """Return the seconds that `text` names, above 0, for `type=` of an argument."""
    with suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"got {text!r}, expected seconds: a number above 0")
