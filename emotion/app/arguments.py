"""The arguments that several commands have: those of every one that reads faces, with its predictor; and --out."""

import argparse
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.core.errors import InputError
from emotion.core.metadata import DETECTOR_CHOICES, MARGINS

if TYPE_CHECKING:  # at run time it would load OpenCV
    from emotion.inference.predictor import Predictor

LARGEST_NUMBER = 10_000
"""Of threads, pixels and the like."""


def add_predictor_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --model, --detector, --margin, --smallest and --threads, which `make_predictor` reads."""
    group = parser.add_argument_group("model and faces")
    group.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="a .tflite, .onnx or .keras file that the pipeline wrote; the released model unless told",
    )
    group.add_argument(
        "--detector",
        choices=DETECTOR_CHOICES,
        default=DETECTOR_CHOICES[0],
        help="what finds faces: cascade is quick, mtcnn accurate and slow, whole takes each image as one face; auto "
        "does that with small images and looks in others as the model was made to (%(default)s)",
    )
    group.add_argument(
        "--margin",
        type=margin,
        metavar="SHARE",
        help="what is added around a face on each side, as a share of its box, -0.4 to 2; the model's own unless told",
    )
    group.add_argument(
        "--smallest",
        type=positive_int,
        metavar="PIXELS",
        help="the smallest face to look for; the model's own unless told",
    )
    group.add_argument(
        "--threads", type=positive_int, metavar="N", help="how many processor cores to use; all unless told"
    )


def make_predictor(arguments: argparse.Namespace) -> "Predictor":
    """Return the predictor that the arguments of `add_predictor_arguments` ask for.

    With --threads, OpenCV and Keras are held to that many threads in the whole process.

    Raises:
        InputError: the model file cannot be used, or what an argument needs is not installed.
    """
    from emotion.inference.predictor import Predictor, find_standard

    model = arguments.model or find_standard()
    if arguments.threads:
        _limit_threads(model, arguments.threads)
    return Predictor(
        model,
        detector=arguments.detector,
        margin=arguments.margin,
        smallest=arguments.smallest,
        threads=arguments.threads,
    )


def positive_int(text: str) -> int:
    """Return the whole number of at least 1 that `text` names, for `type=` of an argument."""
    with suppress(ValueError):
        if 1 <= int(text) <= LARGEST_NUMBER:
            return int(text)
    raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from 1 to {LARGEST_NUMBER}")


def margin(text: str) -> float:
    """Return the margin that `text` names, for `type=` of an argument."""
    low, high = MARGINS
    with suppress(ValueError):
        if low <= float(text) <= high:
            return float(text)
    raise argparse.ArgumentTypeError(f"got {text!r}, expected a number from {low:g} to {high:g}")


def check_target(target: Path) -> None:
    """Raise InputError where no plot can be written as `target`."""
    if target.suffix != ".png":
        raise InputError(f"--out {target}: expected a name that ends in .png")
    if target.is_dir():
        raise InputError(f"--out {target} is a folder; expected the name of a file")


def _limit_threads(model: Path, threads: int) -> None:
    import cv2

    cv2.setNumThreads(threads)
    if model.suffix.lower() == ".keras":
        # Without Keras, loading the model says what is missing.
        with suppress(ImportError):
            from emotion.model_files.keras_setup import set_up

            set_up(threads, seed=0)
