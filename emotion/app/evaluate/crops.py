"""The crop of each labeled image as a model takes it, cut while the source is read.

A face is searched, framed and resized as `emotion predict` does it. Where none is found, the whole image is taken.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from emotion.core.metadata import ModelMetadata
from emotion.faces.detection import Detector
from emotion.faces.detectors import choose_detector
from emotion.faces.whole_image import whole_image
from emotion.ingest.extraction import make_input
from emotion.ingest.photos.face_search import SEARCHED_BATCH, choose_face, find_fault
from emotion.ingest.sources.content import rejected
from emotion.ingest.sources.source import Batch, Content, Entry, Place, Source

NOT_WANTED = "not wanted"
"""The reason by which images that are not scored are passed over."""

Wanted = frozenset[tuple[str, str | None]]
"""The emotions and splits of the images that are scored."""


@dataclass(frozen=True)
class FaceSettings:
    """The search for faces: the choices of the command line.

    Attributes:
        detector: one of `emotion.core.metadata.DETECTOR_CHOICES`.
        thorough: whether small images are searched as they are.
        margin: added to a face on each side, as a share of its box; None for the model's own.
        smallest: pixels of the smallest face; None for the model's own.
    """

    detector: str
    thorough: bool = False
    margin: float | None = None
    smallest: int | None = None


class CropSettings(NamedTuple):
    """The search for faces and the input of the model, with every choice made.

    Attributes:
        detector: as in FaceSettings.
        default: the detector of the model, which `auto` uses.
        thorough: as in FaceSettings.
        smallest: pixels of the smallest face.
        margin: added to a face on each side, as a share of its box.
        size: height and width of the input in pixels.
        color: `grayscale` or `rgb`.
    """

    detector: str
    default: str
    thorough: bool
    smallest: int
    margin: float
    size: int
    color: str


class Crop(NamedTuple):
    """An image of the source as the model takes it.

    Attributes:
        entry: name, label, split and group of the image.
        pixels: uint8 (size, size, channels); empty for an image that cannot be read.
        reason: why it cannot be read; empty for the others.
        searched: whether a face was searched.
        found: whether a face was found; true for an image that is one face and needs no search.
    """

    entry: Entry
    pixels: np.ndarray
    reason: str = ""
    searched: bool = False
    found: bool = False


def resolve_crops(metadata: ModelMetadata, faces: FaceSettings) -> CropSettings:
    """Return the settings with the model's own values where `faces` names none."""
    return CropSettings(
        faces.detector,
        metadata.detector,
        faces.thorough,
        metadata.smallest if faces.smallest is None else faces.smallest,
        metadata.margin if faces.margin is None else faces.margin,
        metadata.size,
        metadata.color,
    )


def read_crops(source: Source, wanted: Wanted, settings: CropSettings) -> Iterator[Crop]:
    """Return an iterator over the crops of the images of those emotions and splits, in the order of the source.

    A few batches of images are in memory at a time. Where the source has a box, the face in it is taken, or else the
    square around it.
    """
    describe = partial(describe_crop, wanted=wanted, settings=settings)
    return _unpack(source.batches(describe, SEARCHED_BATCH), wanted)


def _unpack(batches: Iterator[Batch], wanted: Wanted) -> Iterator[Crop]:
    for batch in batches:
        for entry, content in batch:
            if (entry.emotion, entry.split) not in wanted and not entry.fault:
                continue
            shape = (content.height, content.width, content.channels)
            pixels = np.frombuffer(content.pixels, np.uint8).reshape(shape)
            searched = content.face is not None or not content.faces
            yield Crop(entry, pixels, content.reason, searched=searched, found=content.faces > 0)


def describe_crop(image: np.ndarray, entry: Entry, wanted: Wanted, settings: CropSettings) -> Content:
    """Return the crop of an image as `Content`: `pixels` are the input of the model.

    Its `faces` is 0 where a face was searched and not found. Where none was searched, it is 1 without a `face`.
    """
    if (entry.emotion, entry.split) not in wanted:
        return rejected(NOT_WANTED)
    fault = find_fault(entry.box, image) if entry.box else ""
    if fault:
        return rejected(fault)
    faces = _load_detector(settings).detect(image)
    is_crop = faces == [whole_image(image)]
    face = None if is_crop else choose_face(faces, entry.box)
    place = Place(entry.image, entry.box, face)
    crop = make_input(image, place, size=settings.size, color=settings.color, margin=settings.margin)
    height, width, channels = crop.shape
    count = 1 if is_crop or face is not None else 0
    return Content(height, width, channels, "", False, crop.tobytes(), face=face, faces=count)


@cache
def _load_detector(settings: CropSettings) -> Detector:
    """Return the detector of this process. The first image loads it, so it is never there before a fork."""
    return choose_detector(
        settings.detector, default=settings.default, smallest=settings.smallest, thorough=settings.thorough
    )
