"""The metadata of a model: its inputs and outputs. Every model file holds it, for every runtime.

This module does not load Keras, so a TFLite or ONNX file needs only its small runtime.
"""

import json
from dataclasses import asdict, dataclass, fields
from reprlib import repr as shorten
from typing import Any

from emotion.core.emotion_names import LONGEST_NAME, RESERVED_NAMES
from emotion.core.errors import InputError

CHANNELS = {"grayscale": 1, "rgb": 3}
"""Number of channels of an image, by color."""

COLORS_OF_BEFORE = {"grey": "grayscale"}
"""Current names of the colors in model files of earlier versions."""

METADATA_MEMBER = "emotion.json"
"""The member of .keras and .tflite files that holds the metadata; both can be read as zip archives."""

METADATA_PROPERTY = "emotion"
"""The property of ONNX files that holds the metadata."""

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""The time of every member of such an archive, so that the same model gives the same bytes."""

DETECTORS = ("yunet", "cascade")

METADATA_VERSION = 2
"""The version of the metadata. Up to version 1, which files do not state, the detector yunet did not exist."""

AUTO, WHOLE = "auto", "whole"
DETECTOR_CHOICES = (AUTO, *DETECTORS, WHOLE)
"""The values of `--detector`: automatic, a detector, or the whole image."""

MARGINS = (-0.4, 2.0)
"""The smallest and the largest allowed margin."""

LARGEST_SMALLEST = 10_000
"""The largest value of `smallest`, in pixels."""

HIGHEST_TEMPERATURE, MOST_EMOTIONS = 1000, 1000


@dataclass(frozen=True)
class ModelMetadata:
    """The inputs and outputs of a model, and the settings by which faces are detected and cropped for it.

    Attributes:
        emotions: the names of its classes, in the order of its outputs. A model of two classes may have a single
            output, the probability of the second class.
        size: height and width of its input images, in pixels, 8 to 1024.
        color: `grayscale` or `rgb`.
        flip: whether the probabilities of each image and its mirror image are averaged, as in its evaluation.
        temperature: calibrates its probabilities, above 0 (Guo et al. 2017).
        threshold: of two emotions, the second is predicted where its probability is above this, 0 to 1. It applies to
            probabilities before the temperature.
        detector: the default face detector, `yunet` or `cascade`.
        margin: added to a face's box on each side, as a share of the box's longer side. A negative margin cuts off.
        smallest: the smallest face that is detected, in pixels of the box's side.
    """

    emotions: tuple[str, ...]
    size: int
    color: str
    flip: bool = False
    temperature: float = 1.0
    threshold: float = 0.5
    detector: str = DETECTORS[0]
    margin: float = 0.0
    smallest: int = 40

    @property
    def channels(self) -> int:
        """The number of channels of its input images: 1 or 3."""
        return CHANNELS[self.color]


def write_metadata(metadata: ModelMetadata) -> str:
    """Return `metadata` as the JSON text that model files hold."""
    return json.dumps({"version": METADATA_VERSION, **asdict(metadata)}, indent=2)


def read_metadata(text: str | bytes, where: str) -> ModelMetadata:
    """Return the metadata in `text`. Values that files of earlier versions lack get their default.

    The detectors that those files name found fewer faces, so the default takes their place.

    Args:
        text: the JSON text.
        where: the model file's name, for the message.

    Raises:
        InputError: `text` is not metadata, or has values out of range.
    """
    try:
        values = json.loads(text)
        if not isinstance(values, dict):
            raise TypeError(f"{shorten(values)} is no object")
        known = {field.name for field in fields(ModelMetadata)}
        metadata = ModelMetadata(**{key: value for key, value in values.items() if key in known} | _own_types(values))
        _check_values(metadata)
    # Deep nesting raises RecursionError, and a whole number beyond all floats OverflowError.
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise InputError(
            f"{where} has no usable metadata ({error}); use a model file that this project wrote"
        ) from None
    return metadata


def _own_types(values: dict[str, Any]) -> dict[str, Any]:
    color = values["color"]
    names = values["emotions"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"emotions: got {shorten(names)}, expected a list of names")
    own = {"emotions": tuple(names), "color": COLORS_OF_BEFORE.get(color, color) if isinstance(color, str) else color}
    return own if "version" in values else own | {"detector": DETECTORS[0]}


def _check_values(metadata: ModelMetadata) -> None:
    _check_names(metadata.emotions)
    usable = {
        "size": type(metadata.size) is int and 8 <= metadata.size <= 1024,
        "color": isinstance(metadata.color, str) and metadata.color in CHANNELS,
        "flip": isinstance(metadata.flip, bool),
        "temperature": _is_number(metadata.temperature) and 0 < metadata.temperature <= HIGHEST_TEMPERATURE,
        "threshold": _is_number(metadata.threshold) and 0 <= metadata.threshold <= 1,
        "detector": isinstance(metadata.detector, str) and metadata.detector in DETECTORS,
        "margin": _is_number(metadata.margin) and MARGINS[0] <= metadata.margin <= MARGINS[1],
        "smallest": type(metadata.smallest) is int and 1 <= metadata.smallest <= LARGEST_SMALLEST,
    }
    for name in usable:
        if not usable[name]:
            raise ValueError(f"{name}: {shorten(getattr(metadata, name))} is out of range")


def _check_names(names: tuple[str, ...]) -> None:
    """Raise ValueError where names of classes cannot be printed, or would be taken for something else in a table."""
    if not 2 <= len(names) <= MOST_EMOTIONS:
        raise ValueError(f"emotions: got {len(names)}, expected 2 to {MOST_EMOTIONS}")
    for name in names:
        if not (name.isprintable() and name[:1].isalnum() and name == name.strip() and len(name) <= LONGEST_NAME):
            raise ValueError(
                f"emotions: got {shorten(name)}, expected names that begin with a letter or digit, of at most "
                f"{LONGEST_NAME} signs that can be printed"
            )
        if name.casefold() in RESERVED_NAMES:
            raise ValueError(f"emotions: got {name}, which is the name of another column in tables")
    if len({name.casefold() for name in names}) < len(names):
        raise ValueError(f"emotions: got {shorten(list(names))}, expected each name once")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
