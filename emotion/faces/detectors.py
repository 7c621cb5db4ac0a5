"""The detectors by name: `cascade`, `mtcnn`, `whole` and `auto`."""

from emotion.core.errors import InputError
from emotion.core.metadata import AUTO, DETECTOR_CHOICES, DETECTORS, WHOLE
from emotion.faces.cascade import CascadeDetector
from emotion.faces.detection import Detector
from emotion.faces.mtcnn import MTCNNDetector
from emotion.faces.whole_image import AutoDetector, WholeImageDetector


def choose_detector(choice: str, *, default: str, smallest: int) -> Detector:
    """Return the detector for one of DETECTOR_CHOICES.

    Args:
        choice: `cascade` and `mtcnn` search for faces. `whole` takes each image as one face. `auto` takes small images
            as faces (see `AutoDetector`) and searches the others.
        default: the detector that `auto` uses for larger images, one of DETECTORS.
        smallest: the smallest face to search for, in pixels of its box's side, at least 1.

    Raises:
        InputError: as `check_choice` and `make_detector` do.
    """
    check_choice(choice)
    if choice == WHOLE:
        return WholeImageDetector()
    if choice == AUTO:
        return AutoDetector(make_detector(default, smallest))
    return make_detector(choice, smallest)


def check_choice(choice: str) -> None:
    """Raise InputError where `choice` is not one of DETECTOR_CHOICES."""
    if choice not in DETECTOR_CHOICES:
        raise InputError(f"detector: got {choice!r}, expected one of {', '.join(DETECTOR_CHOICES)}")


def make_detector(name: str, smallest: int) -> Detector:
    """Return a detector that searches images.

    Args:
        name: one of DETECTORS. `cascade` is fast. `mtcnn` needs TensorFlow, and gives the eyes.
        smallest: the smallest face to search for, in pixels of its box's side, at least 1. No detector finds faces of
            less than 20 pixels reliably.

    Raises:
        InputError: the name is unknown, `smallest` is out of range, or a package that the detector needs is missing.
    """
    if smallest < 1:
        raise InputError(f"smallest: got {smallest}, expected at least 1 pixel")
    if name == "cascade":
        return CascadeDetector(smallest)
    if name == "mtcnn":
        return MTCNNDetector(smallest)
    raise InputError(f"detector: got {name!r}, expected one of {', '.join(DETECTORS)}")
