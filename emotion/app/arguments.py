"""The arguments that several commands share: those for finding and reading faces."""

import argparse
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotion.core.metadata import DETECTOR_CHOICES, MARGINS
from emotion.inference.defaults import SMALL_STANDARD, STANDARD, STANDARD_FILE
from emotion.parallel.address import DASK_CONFIGURATION, SCHEDULER

if TYPE_CHECKING:  # at run time it would load OpenCV
    from emotion.app.shared_predictor import SharedPredictor
    from emotion.inference.predictor import Predictor

LARGEST_INT = 10_000
"""The largest number of threads, pixels and the like that an option takes."""


def add_predictor_arguments(
    parser: argparse.ArgumentParser, *, formats: str = ".tflite, .onnx or .keras", default: str = STANDARD_FILE
) -> None:
    """Add --model, --detector, --thorough, --margin, --smallest and --threads, which `make_predictor` reads.

    Args:
        parser: the parser of a command.
        formats: the suffixes of model files that the command takes, for the help.
        default: the file of a release that the command takes where no model is named, for the help.
    """
    group = parser.add_argument_group("model and faces")
    group.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help=f"model file of this project: {formats} (default: {default} of the release {STANDARD}, "
        f"or of {SMALL_STANDARD} where that one is missing)",
    )
    group.add_argument(
        "--detector",
        choices=DETECTOR_CHOICES,
        default=DETECTOR_CHOICES[0],
        metavar="NAME",
        help="face detector. yunet: finds faces in all poses. cascade: that of earlier versions. whole: each image is "
        "one face. auto: a small image is one face, and the model's own detector searches larger ones "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--thorough",
        action="store_true",
        help="search small images as they are: it takes longer and finds a few more faces",
    )
    group.add_argument(
        "--margin",
        type=_margin,
        metavar="SHARE",
        help="space to add around a face on each side, as a share of its box, "
        f"from {MARGINS[0]:g} to {MARGINS[1]:g} (default: the model's)",
    )
    group.add_argument(
        "--smallest",
        type=positive_int,
        metavar="PIXELS",
        help="side of the smallest face to detect (default: the model's)",
    )
    group.add_argument(
        "--threads", type=positive_int, metavar="N", help="number of processor cores to use (default: all)"
    )
    group.add_argument("--faces", action=RenamedOption, new="--detector")


def add_cluster_argument(parser: argparse.ArgumentParser) -> None:
    """Add --cluster, the address that `use_cluster` takes, to the parser of a command."""
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="have a Dask cluster do the work: the address of its scheduler, such as tcp://host:8786, a scheduler file "
        f"(.json), or {DASK_CONFIGURATION} for that of Dask's configuration (default: {SCHEDULER}, or none)",
    )


class RenamedOption(argparse.Action):
    """Refuses an option of earlier versions, with exit status 2, and says what to write now.

    Args:
        new: the option's name now.
    """

    def __init__(self, option_strings: Sequence[str], dest: str, *, new: str) -> None:
        super().__init__(option_strings, dest, nargs="?", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        self._new = new

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: object, value: Any, option_string: str | None = None
    ) -> None:
        """End with the option's name now."""
        now = self._new if value is None else f"{self._new} {value}"
        parser.error(f"{self.option_strings[0]} was renamed; write {now}")


def make_predictor(arguments: argparse.Namespace) -> "Predictor":
    """Return the predictor for the arguments of `add_predictor_arguments`.

    With --threads, OpenCV and Keras use at most that many threads in the whole process.

    Raises:
        InputError: the model file cannot be used, or a package that an argument needs is not installed.
    """
    from emotion.inference.predictor import Predictor, find_standard

    model = arguments.model or find_standard()
    if arguments.threads:
        limit_threads(model, arguments.threads)
    return Predictor(model, **_search_options(arguments), threads=arguments.threads)


def make_shared_predictor(arguments: argparse.Namespace) -> "SharedPredictor":
    """Return the settings by which workers make the predictor of `make_predictor`.

    Raises:
        InputError: the model file is missing.
    """
    from emotion.app.shared_predictor import share_predictor

    return share_predictor(arguments.model, **_search_options(arguments))


def _search_options(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in ("detector", "margin", "smallest", "thorough")}


def positive_int(text: str) -> int:
    """Return `text` as a whole number from 1 to LARGEST_INT, for `type=` of an argument."""
    with suppress(ValueError):
        if 1 <= int(text) <= LARGEST_INT:
            return int(text)
    raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from 1 to {LARGEST_INT}")


def _margin(text: str) -> float:
    low, high = MARGINS
    with suppress(ValueError):
        if low <= float(text) <= high:
            return float(text)
    raise argparse.ArgumentTypeError(f"got {text!r}, expected a number from {low:g} to {high:g}")


def limit_threads(model: Path, threads: int) -> None:
    """Let OpenCV and Keras use at most so many threads in the whole process."""
    import cv2

    cv2.setNumThreads(threads)
    if model.suffix.lower() == ".keras":
        # Without Keras, loading the model says what is missing.
        with suppress(ImportError):
            from emotion.model_files.keras_setup import set_up

            set_up(threads, seed=0)
