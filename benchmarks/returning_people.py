"""Light descriptors that could tell whether a face that returns is one that was there before.

A descriptor tells two people apart if a threshold exists at which hardly any two different people pass as one. Here
that is a false match rate of 1 %; `recall` is the share of the pairs of one person that pass at the same threshold.

Two kinds of pairs are measured:

- `other days`: gray portraits of `faces_wild`, whose files carry names. One person's pictures are from different days;
- `same minute`: faces of the photos with truth.json. One person's pair is the same picture again, a little larger or
  smaller, darker, brighter or bluer, with noise and a box that is a little off. That is easier than a real return, in
  which people turn their heads and come through other light. Different people come from one photo, as they would in
  front of one camera.
"""

import re
import tarfile
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np

from benchmarks.crossing_videos import read_truth
from emotion.data.images import decode, read_image
from emotion.faces.crop import align_crop
from emotion.faces.detection import Box, Detection
from emotion.faces.detectors import make_detector

FALSE_MATCH_RATE = 0.01

SMALLEST = 40

Descriptor = Callable[[np.ndarray, Detection], np.ndarray]
"""Takes an image, uint8 (height, width, 1 or 3), and a face in it; returns a vector of length 1."""


def histogram_of_gradients(image: np.ndarray, face: Detection) -> np.ndarray:
    """Return the gradients of the leveled face by direction, in 6 x 6 cells."""
    crop = align_crop(image, face, 0.0, 48, "grayscale")[:, :, 0]
    return _unit(np.ravel(cv2.HOGDescriptor((48, 48), (16, 16), (8, 8), (8, 8), 9).compute(crop)))


def local_binary_patterns(image: np.ndarray, face: Detection) -> np.ndarray:
    """Return the uniform local binary patterns of the leveled face, in 6 x 6 cells."""
    crop = align_crop(image, face, 0.0, 74, "grayscale")[:, :, 0].astype(np.int16)
    center = crop[1:-1, 1:-1]
    ring = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    bits = [crop[down : down + 72, right : right + 72] >= center for down, right in ring]
    codes = UNIFORM_CODES[sum(bit.astype(np.int32) << place for place, bit in enumerate(bits))]
    cells = codes.reshape(6, 12, 6, 12).swapaxes(1, 2).reshape(36, 144)
    return _unit(np.sqrt(np.concatenate([np.bincount(cell, minlength=59) for cell in cells])))


def _uniform_codes() -> np.ndarray:
    """Return the number of each local binary pattern among the 58 uniform ones; 58 for all others."""
    changes = [bin(code ^ ((code >> 1) | ((code & 1) << 7))).count("1") for code in range(256)]
    uniform = [code for code in range(256) if changes[code] <= 2]
    return np.array([uniform.index(code) if code in uniform else 58 for code in range(256)])


UNIFORM_CODES = _uniform_codes()


def color_of_clothes(image: np.ndarray, face: Detection) -> np.ndarray:
    """Return the histogram in Lab of the square below the face."""
    x, y, side, _ = face.box
    return _color_histogram(image, (x, y + side * 1.15, side, side))


def color_of_head_and_clothes(image: np.ndarray, face: Detection) -> np.ndarray:
    """Return the histograms in Lab of three regions: the hair, the face, and the square below it."""
    x, y, side, _ = face.box
    regions = ((x, y - side * 0.3, side, side * 0.4), (x, y, side, side), (x, y + side * 1.15, side, side))
    return _unit(np.concatenate([_color_histogram(image, region) for region in regions]))


def all_together(image: np.ndarray, face: Detection) -> np.ndarray:
    """Return the gradients of the face and the colors of head and clothes, with equal weights."""
    return _unit(np.concatenate([histogram_of_gradients(image, face), color_of_head_and_clothes(image, face)]))


def _color_histogram(image: np.ndarray, region: tuple[float, float, float, float]) -> np.ndarray:
    """Return the histogram of a region (x, y, width, height), 4 x 8 x 8 bins of L, a and b, its square root."""
    x, y, width, height = region
    rows = slice(max(0, round(y)), max(0, round(y + height)))
    part = image[rows, max(0, round(x)) : max(0, round(x + width))]
    if not part.size:
        return np.zeros(256)
    lab = cv2.cvtColor(cv2.resize(part, (32, 32), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB)
    ranges = [0, 256, 88, 168, 88, 168]
    return _unit(np.sqrt(cv2.calcHist([lab], [0, 1, 2], None, [4, 8, 8], ranges)).ravel())


def _unit(vector: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vector / max(1e-9, float(np.linalg.norm(vector)))
    return unit


GRAY: tuple[Descriptor, ...] = (histogram_of_gradients, local_binary_patterns)
COLOR: tuple[Descriptor, ...] = (*GRAY, color_of_clothes, color_of_head_and_clothes, all_together)


def measure_returning_people(photos: Path, wild: Path, *, seed: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return, for each kind of pairs and each descriptor, its recall and the numbers of pairs.

    Args:
        photos: the folder with photos and truth.json.
        wild: faces_wild.tar.
        seed: of the changes to the photos.
    """
    return {
        "other days": {one.__name__: compare(*_pairs_of_names(wild, one)) for one in GRAY},
        "same minute": {one.__name__: compare(*_pairs_of_photos(photos, one, seed)) for one in COLOR},
    }


def compare(same: Sequence[float], different: Sequence[float]) -> dict[str, float]:
    """Return the recall at FALSE_MATCH_RATE, from the likenesses of pairs of one person and of two people."""
    threshold = float(np.quantile(different, 1 - FALSE_MATCH_RATE))
    recall = float(np.mean(np.array(same) > threshold))
    return {"recall": recall, "pairs_of_one": len(same), "pairs_of_two": len(different)}


def _pairs_of_names(wild: Path, describe: Descriptor) -> tuple[list[float], list[float]]:
    detector = make_detector("yunet", SMALLEST)
    named = []
    for name, image in _read_wild(wild):
        found = detector.detect(image)
        if found:
            named.append((re.sub(r"_\d+\.jpg$", "", name), describe(image, found[0])))
    same: list[float] = []
    different: list[float] = []
    for (one, first), (other, second) in combinations(named, 2):
        (same if one == other else different).append(float(first @ second))
    return same, different


def _read_wild(wild: Path) -> Iterable[tuple[str, np.ndarray]]:
    with tarfile.open(wild) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".jpg") else None
            if file is not None:
                yield Path(member.name).name, decode(file.read())


def _pairs_of_photos(photos: Path, describe: Descriptor, seed: int) -> tuple[list[float], list[float]]:
    rng = np.random.default_rng(seed)
    same: list[float] = []
    different: list[float] = []
    for entry in read_truth(photos):
        if not entry["faces"]:
            continue
        image = read_image(photos / entry["file"])
        image = cv2.cvtColor(image[:, :, 0], cv2.COLOR_GRAY2RGB) if image.shape[2] == 1 else image
        faces = [_square(face["box"]) for face in entry["faces"]]
        before = [describe(image, Detection(_off(face, 1.0, rng))) for face in faces]
        changed, scale = _change(image, rng)
        after = [describe(changed, Detection(_off(face, scale, rng))) for face in faces]
        for first, one in enumerate(before):
            for second, other in enumerate(after):
                (same if first == second else different).append(float(one @ other))
    return same, different


def _square(box: Sequence[float]) -> tuple[float, float, float]:
    """Return center and side of FER2013's square for a tight box."""
    x, y, width, height = box
    side = 1.18 * (width + height) / 2
    return x + width / 2, y + height / 2 - 0.025 * side, side


def _off(face: tuple[float, float, float], scale: float, rng: np.random.Generator) -> Box:
    """Return the box of a face in a scaled image, off by 3 % of its side as a detector's boxes are."""
    x, y, side = face
    x, y = np.array([x, y]) + rng.normal(0, 0.03 * side, 2)
    side *= float(np.exp(rng.normal(0, 0.03)))
    return Box(*(round(value * scale) for value in (x - side / 2, y - side / 2, side, side)))


def _change(image: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Return a picture as a camera might take it a minute later, and its scale."""
    scale = float(rng.uniform(0.6, 1.0))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    light = rng.uniform(0.75, 1.25) * np.exp(rng.normal(0, 0.04, 3))
    return np.clip(small * light + rng.normal(0, 4, small.shape), 0, 255).astype(np.uint8), scale
