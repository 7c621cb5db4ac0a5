"""What a model takes and gives: the form that travels inside every model file, whatever runs it.

Nothing here loads Keras, so that a TFLite or ONNX file is read with the small runtime alone.
"""

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from emotion.core.errors import InputError

CHANNELS = {"grayscale": 1, "rgb": 3}
"""How many channels images of each color have."""

COLORS_OF_BEFORE = {"grey": "grayscale"}
"""What model files of earlier versions call a color."""

METADATA_MEMBER = "emotion.json"
"""Under this name the form stands in .keras and .tflite files, both of which are read as zip archives."""

METADATA_PROPERTY = "emotion"
"""Under this name it stands among the metadata of an ONNX file."""

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every member of such an archive, so that the same model is the same bytes."""

DETECTORS = ("cascade", "mtcnn")

AUTO, WHOLE = "auto", "whole"
DETECTOR_CHOICES = (AUTO, *DETECTORS, WHOLE)
"""How faces may be looked for."""

MARGINS = (-0.4, 2.0)
"""The least and the largest margin that make sense."""


@dataclass(frozen=True)
class ModelMetadata:
    """What a model takes, what it gives, and how faces are to be brought before it.

    Attributes:
        emotions: the names of its classes, in the order of its outputs. Two have one output, the second's probability.
        size: height and width in pixels of the images that it takes.
        color: `grayscale` or `rgb`.
        flip: whether the probabilities of each image and its mirror image are averaged, as they were for its figures.
        temperature: by which its probabilities are calibrated, above 0 (Guo et al. 2017).
        threshold: of two emotions, the probability above which an image shows the second; before the temperature.
        detector: what finds faces unless told otherwise: `cascade` or `mtcnn`.
        margin: how much is added to a face's box on each side, as a share of its size; negative cuts off.
        smallest: the smallest face that is looked for, in pixels of the box's shorter side.
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
    """Return `metadata` as the JSON text that model files hold."""
    return json.dumps(asdict(metadata), indent=2)


def read_metadata(text: str | bytes, where: str) -> ModelMetadata:
    """Return what `write_metadata` wrote; what files of earlier versions do not say has its default.

    Args:
        text: the JSON text.
        where: the model file's name, for the message.

    Raises:
        InputError: it is no form, or one with values that cannot be.
    """
    try:
        found = json.loads(text)
        known = {field.name for field in fields(ModelMetadata)}
        metadata = ModelMetadata(**{key: value for key, value in found.items() if key in known} | _own_types(found))
        _check(metadata)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{where} does not say in a usable way what it takes and gives ({error}); expected a model file that this "
            "project wrote"
        ) from None
    return metadata


def _own_types(found: dict[str, Any]) -> dict[str, Any]:
    color = found["color"]
    return {"emotions": tuple(str(name) for name in found["emotions"]), "color": COLORS_OF_BEFORE.get(color, color)}


def _check(metadata: ModelMetadata) -> None:
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
