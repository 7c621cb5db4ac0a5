"""The search for faces while a source is read, and the cut around the boxes that a source brings.

Images are searched as `emotion predict` searches them. The face is cut out when features are extracted, from the place
that the table keeps.
"""

from collections.abc import Iterator, Sequence
from functools import cache, partial

import numpy as np

from emotion.core.metadata import AUTO
from emotion.faces.crop import cut_face
from emotion.faces.detection import Box, Detection, Detector
from emotion.faces.detectors import choose_detector
from emotion.faces.overlap import intersection_over_union
from emotion.faces.whole_image import whole_image
from emotion.ingest.photos.face_settings import DETECT, FaceSearch
from emotion.ingest.sources.content import NO_FACE, rejected
from emotion.ingest.sources.source import BATCH, Batch, Content, Describe, Entry, Source

SEARCHED_BATCH = 16
"""Images that a process searches before it returns them. A search takes long, so few keep a progress bar moving."""

LEAST_OVERLAP = 0.2
"""Intersection over union with the box of the source from which on a found face is the one in the box."""


def read_batches(source: Source, search: FaceSearch, describe: Describe) -> Iterator[Batch]:
    """Read every image of `source` with the face that is used of it, in the order of the source.

    Args:
        source: the source. Where an entry has a box, `describe` gets the square around it.
        search: whether and how faces are searched. An image without a face is rejected.
        describe: returns the content of an image or square.
    """
    if not search.searches:
        return source.batches(partial(_describe_square, describe=describe), BATCH)
    return source.batches(partial(_describe_face, search=search, describe=describe), SEARCHED_BATCH)


def cut_box(image: np.ndarray, box: Box) -> np.ndarray:
    """Return the square around a box as `align_crop` cuts it, at its own resolution up to LARGEST_SIDE."""
    return cut_face(image, Detection(box), 0.0)


def _describe_square(image: np.ndarray, entry: Entry, describe: Describe) -> Content:
    """Return the content of the square around the box of `entry`, or of the whole image where it has none."""
    if entry.box is None:
        return describe(image, entry)
    fault = find_fault(entry.box, image)
    return rejected(fault) if fault else describe(cut_box(image, entry.box), entry)


def _describe_face(image: np.ndarray, entry: Entry, search: FaceSearch, describe: Describe) -> Content:
    """Return the content as `_describe_square` does, with the face that is cut out of the image."""
    content = _describe_square(image, entry, describe)
    if content.reason:
        return content
    faces = _load_detector(search).detect(image)
    if faces == [whole_image(image)]:
        return content._replace(faces=1)
    face = choose_face(faces, entry.box)
    if face is None:
        return rejected(f"{NO_FACE}{' in the box' if faces else ''}")
    # The pixels of a square cannot give the crop of a face that was found in the photo, so the photo is read again.
    return content._replace(face=face, faces=len(faces), pixels=b"" if entry.box else content.pixels)


@cache
def _load_detector(search: FaceSearch) -> Detector:
    """Return the detector of this process. The first image loads it, so it is never there before a fork."""
    choice = search.detector if search.faces == DETECT else AUTO
    return choose_detector(choice, default=search.detector, smallest=search.smallest)


def choose_face(faces: Sequence[Detection], box: Box | None) -> Detection | None:
    """Return the largest face, or the one that overlaps `box` best; None where there is none."""
    if box is None or not faces:
        return next(iter(faces), None)
    overlap, place = max((intersection_over_union(face.box, box), -place) for place, face in enumerate(faces))
    return faces[-place] if overlap >= LEAST_OVERLAP else None


def find_fault(box: Box, image: np.ndarray) -> str:
    """Return the reason why `box` cannot be cut out of `image`; an empty text where it can."""
    height, width = image.shape[:2]
    place = f"the box of {box.width}x{box.height} pixels at x {box.x}, y {box.y}"
    if box.width < 1 or box.height < 1:
        return f"{place} has no pixels"
    if box.x >= width or box.y >= height or box.x + box.width <= 0 or box.y + box.height <= 0:
        return f"{place} lies outside of the image of {width}x{height} pixels"
    return ""
