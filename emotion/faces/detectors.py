"""The detectors by name: `yunet`, `cascade`, `whole` and `auto`."""

from emotion.core.errors import InputError
from emotion.core.metadata import AUTO, DETECTOR_CHOICES, DETECTORS, WHOLE
from emotion.faces.cascade import CascadeDetector
from emotion.faces.detection import Detector
from emotion.faces.whole_image import AutoDetector, WholeImageDetector
from emotion.faces.yunet import QUICK, THOROUGH, YuNetDetector


def choose_detector(choice: str, *, default: str, smallest: int, thorough: bool = False) -> Detector:
    """Return the detector for one of DETECTOR_CHOICES.

    Args:
        choice: `yunet` and `cascade` search for faces. `whole` takes each image as one face. `auto` takes small images
            as faces (see `AutoDetector`) and searches the others.
        default: the detector that `auto` uses for larger images, one of DETECTORS.
        smallest: the smallest face to search for, in pixels of its box's side, at least 1.
        thorough: as in `make_detector`.

    Raises:
        InputError: as `check_choice` and `make_detector` do.
    """
    check_choice(choice)
    if choice == WHOLE:
        return WholeImageDetector()
    if choice == AUTO:
        return AutoDetector(make_detector(default, smallest, thorough=thorough))
    return make_detector(choice, smallest, thorough=thorough)


def check_choice(choice: str) -> None:
    """Raise InputError where `choice` is not one of DETECTOR_CHOICES."""
    if choice not in DETECTOR_CHOICES:
        raise InputError(f"detector: got {choice!r}, expected one of {', '.join(DETECTOR_CHOICES)}")


def make_detector(name: str, smallest: int, *, thorough: bool = False) -> Detector:
    """Return a detector that searches images.

    Args:
        name: one of DETECTORS. `cascade` is the detector of earlier versions, which finds frontal faces only.
        smallest: the smallest face to search for, in pixels of its box's side, at least 1. No detector finds faces of
            less than 20 pixels reliably.
        thorough: whether to search a copy of at least 640 pixels. It takes longer, and finds a few more faces.
            `cascade` has no such setting.

    Raises:
        InputError: the name is unknown, `smallest` is out of range, or the installed OpenCV lacks the detector.
    """
    if smallest < 1:
        raise InputError(f"smallest: got {smallest}, expected at least 1 pixel")
    if name == "yunet":
        return YuNetDetector(smallest, THOROUGH if thorough else QUICK)
    if name == "cascade":
        if thorough:
            raise InputError("thorough: the detector cascade has no such setting; choose the detector yunet")
        return CascadeDetector(smallest)
    raise InputError(f"detector: got {name!r}, expected one of {', '.join(DETECTORS)}")
