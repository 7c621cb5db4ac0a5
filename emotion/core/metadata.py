"""A model's metadata: its inputs and outputs. It is inside every model file, for every runtime.

Nothing here loads Keras, so that a TFLite or ONNX file needs its small runtime only.
"""

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from emotion.core.errors import InputError

CHANNELS = {"grayscale": 1, "rgb": 3}
"""How many channels images of each color have."""

COLORS_OF_BEFORE = {"grey": "grayscale"}
"""Names of colors in model files of earlier versions."""

METADATA_MEMBER = "emotion.json"
"""The member of .keras and .tflite files that holds the metadata; both can be read as zip archives."""

METADATA_PROPERTY = "emotion"
"""The property of ONNX files that holds the metadata."""

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""The time of every member of such an archive, so that the same model is the same bytes."""

DETECTORS = ("cascade", "mtcnn")

AUTO, WHOLE = "auto", "whole"
DETECTOR_CHOICES = (AUTO, *DETECTORS, WHOLE)
"""The values of `--detector`: a detector, the whole image, or automatic."""

MARGINS = (-0.4, 2.0)
"""The smallest and the largest margin that are accepted."""


@dataclass(frozen=True)
class ModelMetadata:
    """A model's inputs and outputs, and how faces are cropped for it.

    Attributes:
        emotions: the names of its classes, in the order of its outputs. Two have one output, the second's probability.
        size: height and width of its input images, in pixels.
        color: `grayscale` or `rgb`.
        flip: whether the probabilities of each image and its mirror image are averaged, as they were for its figures.
        temperature: calibrates its probabilities, above 0 (Guo et al. 2017).
        threshold: of two emotions, the probability above which an image shows the second; before the temperature.
        detector: finds faces where no other is chosen: `cascade` or `mtcnn`.
        margin: how much is added to a face's box on each side, as a share of its size; negative cuts off.
        smallest: the smallest face that is detected, in pixels of the box's shorter side.
    """

    emotions: tuple[str, ...]
    size: int
    color: str
    flip: bool = False
    temperature: float = 1.0
    threshold: float = 0.5
    detector: str = "cascade"
    margin: float = 0.0
    smallest: int = 40

    @property
    def channels(self) -> int:
        return CHANNELS[self.color]


def write_metadata(metadata: ModelMetadata) -> str:
    """Return `metadata` as the JSON text in model files."""
    return json.dumps(asdict(metadata), indent=2)


def read_metadata(text: str | bytes, where: str) -> ModelMetadata:
    """Return the metadata in `text`; values that files of earlier versions lack have their default.

    Args:
        text: the JSON text.
        where: the model file's name, for the message.

    Raises:
        InputError: `text` is no metadata, or has values that are not allowed.
    """
    try:
        values = json.loads(text)
        known = {field.name for field in fields(ModelMetadata)}
        metadata = ModelMetadata(**{key: value for key, value in values.items() if key in known} | _own_types(values))
        _check_values(metadata)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{where} has no usable metadata ({error}); expected a model file that this project wrote"
        ) from None
    return metadata


def _own_types(values: dict[str, Any]) -> dict[str, Any]:
    color = values["color"]
    return {"emotions": tuple(str(name) for name in values["emotions"]), "color": COLORS_OF_BEFORE.get(color, color)}


def _check_values(metadata: ModelMetadata) -> None:
    problems = {
        "emotions": len(metadata.emotions) >= 2 and len(set(metadata.emotions)) == len(metadata.emotions),
        "size": type(metadata.size) is int and 8 <= metadata.size <= 1024,
        "color": metadata.color in CHANNELS,
        "flip": isinstance(metadata.flip, bool),
        "temperature": math.isfinite(metadata.temperature) and metadata.temperature > 0,
        "threshold": 0 <= metadata.threshold <= 1,
        "detector": metadata.detector in DETECTORS,
        "margin": MARGINS[0] <= metadata.margin <= MARGINS[1],
        "smallest": type(metadata.smallest) is int and metadata.smallest >= 1,
    }
    for name, usable in problems.items():
        if not usable:
            raise ValueError(f"{name}: {getattr(metadata, name)!r}")
