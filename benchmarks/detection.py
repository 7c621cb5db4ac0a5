"""The detectors on photos whose faces are known.

    python -m benchmarks.detection --photos ../shared/data/photos

The folder has photos and a truth.json with their faces of at least 40 pixels; benchmarks/true_faces.py has the format
and the rule of a hit. Each detector searches the photos for faces of at least 40 pixels, as `emotion predict` does. Its
own boxes are scored, since the truth has tight boxes. Found boxes under 36 pixels without a face do not count.

- Portraits turned: photos of one large frontal face are turned by 20, 30 and 45 degrees, left and right, around the
  face. The border of the photo is reflected around it. A face counts as found where a box hits it.
- Small faces: each photo is scaled down five times, so that its median face has 24, 28, 32, 36 and 40 pixels. Faces of
  24 to 40 pixels count, and the detector searches from 24 pixels on. Other faces, and found boxes under 22 pixels, do
  not count.
- Time: each photo is scaled and cropped to 640x480, and searched on one thread. It is the median over the repetitions
  of the mean over the photos. `detect` is all that a user waits for, with the looks that measure tilts. `search` is the
  search alone. Nothing else should run on the machine.

results/detection.json gets the figures.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.true_faces import (
    PhotoScore,
    TrueBox,
    TruePhoto,
    is_hit,
    read_photos,
    score_photo,
    share,
    summarize,
    to_box,
)
from emotion.core.errors import run_command
from emotion.core.files import write_json
from emotion.faces.cascade import CascadeDetector
from emotion.faces.detection import Detector, RawDetection
from emotion.faces.working_copy import scale_down
from emotion.faces.yunet import QUICK, THOROUGH, YuNetDetector
from emotion.model_files.keras_setup import processor

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "results/detection.json"

SMALLEST, SMALLEST_COUNTED = 40, 36
"""Pixels of the smallest face that is searched for, and of the smallest box that is a false alarm."""

SMALL_SIZES = (24, 28, 32, 36, 40)
SMALL_SMALLEST_COUNTED = 22
"""Pixels of the median face of a photo in the test of small faces, and of the smallest box that is a false alarm."""

ANGLES = (20, 30, 45)
LARGE_FACE = 0.2
"""Side of a large face, as a share of the longest side of its photo."""

PORTRAIT = 800
"""Longest side of a portrait before it is turned; larger ones are scaled down."""

CANVAS = 1.25
"""Side of the canvas of a turned portrait, as a multiple of its longest side."""

TIMED_SIZE = (640, 480)


class BothDetector(Detector, Protocol):
    """A detector that gives the faces in its own framing, too."""

    def detect_raw(self, image: np.ndarray) -> list[RawDetection]:
        """Return the faces of an image in the detector's own framing."""
        ...


MakeDetector = Callable[[int], BothDetector]
"""Makes a detector of faces from a number of pixels on."""

DETECTORS: dict[str, MakeDetector] = {
    "yunet quick": lambda smallest: YuNetDetector(smallest, QUICK),
    "yunet thorough": lambda smallest: YuNetDetector(smallest, THOROUGH),
    "cascade": CascadeDetector,
}


def find_boxes(detector: BothDetector, image: np.ndarray) -> list[TrueBox]:
    """Return the detector's own boxes of the faces in an image."""
    return [to_box(raw) for raw in detector.detect_raw(image)]


def score_photos(detector: BothDetector, photos: Iterable[TruePhoto], smallest: float) -> list[PhotoScore]:
    """Return the score of a detector on each photo."""
    return [score_photo(photo, find_boxes(detector, photo.image), smallest) for photo in photos]


def choose_portraits(photos: Iterable[TruePhoto]) -> list[TruePhoto]:
    """Return the photos of one large frontal face, scaled down to PORTRAIT."""
    chosen = [
        photo
        for photo in photos
        if len(photo.faces) == 1
        and "frontal" in photo.faces[0].kinds
        and photo.faces[0].box.side >= LARGE_FACE * max(photo.image.shape[:2])
    ]
    return [scale_photo(photo, min(1.0, PORTRAIT / max(photo.image.shape[:2]))) for photo in chosen]


def scale_photo(photo: TruePhoto, scale: float) -> TruePhoto:
    """Return a photo scaled by `scale`, at most 1, with its boxes."""
    image, _ = scale_down(photo.image, scale)
    faces = tuple(face._replace(box=face.box.enlarge(scale)) for face in photo.faces)
    return photo._replace(image=image, faces=faces, ignored=tuple(box.enlarge(scale) for box in photo.ignored))


def turn_portrait(photo: TruePhoto, degrees: float) -> tuple[np.ndarray, TrueBox]:
    """Return a portrait turned around its face, clockwise, in a square canvas; and the face's box there.

    The face stands in the middle of the canvas. The border of the photo is reflected around it.
    """
    box = photo.faces[0].box
    size = round(CANVAS * max(photo.image.shape[:2]))
    corner = (size - box.side) / 2
    canvas = turn_around(photo.image, np.array(box.center), degrees, size)
    return canvas, TrueBox(corner, corner, box.side, box.side)


def turn_around(image: np.ndarray, center: np.ndarray, degrees: float, size: int) -> np.ndarray:
    """Return an image turned clockwise around a point, which stands in the middle of the result.

    Args:
        image: uint8 (height, width, 1 or 3).
        center: the point, (x, y) in pixels.
        degrees: the angle.
        size: height and width of the result. The image's border is reflected around it.
    """
    middle = center - 0.5  # coordinates of the centers of pixels
    matrix = cv2.getRotationMatrix2D(middle.tolist(), -degrees, 1.0)
    matrix += np.column_stack([np.zeros((2, 2)), (size - 1) / 2 - middle])
    canvas = cv2.warpAffine(image, matrix, (size, size), borderMode=cv2.BORDER_REFLECT_101)
    return canvas.reshape(size, size, image.shape[2])


def measure_turned(detector: BothDetector, portraits: Sequence[TruePhoto]) -> dict[str, Any]:
    """Return how many turned portraits a detector finds, by angle in degrees."""
    counts = {}
    for angle in ANGLES:
        turned = [turn_portrait(photo, sign * angle) for photo in portraits for sign in (-1, 1)]
        found = sum(any(is_hit(box, face) for box in find_boxes(detector, canvas)) for canvas, face in turned)
        counts[str(angle)] = {"faces": len(turned), "found": found}
    return counts


def shrink_to_faces(photo: TruePhoto, size: float) -> TruePhoto:
    """Return a photo scaled down so that its median face has `size` pixels. Faces not in SMALL_SIZES are ignored."""
    shrunk = scale_photo(photo, min(1.0, size / statistics.median(face.box.side for face in photo.faces)))
    low, high = min(SMALL_SIZES) - 0.5, max(SMALL_SIZES) + 0.5
    counted = tuple(face for face in shrunk.faces if low <= face.box.side <= high)
    others = tuple(face.box for face in shrunk.faces if face not in counted)
    return shrunk._replace(faces=counted, ignored=shrunk.ignored + others)


def measure_small(detector: BothDetector, photos: Iterable[TruePhoto]) -> dict[str, Any]:
    """Return recall and false alarms for faces of 24 to 40 pixels, and the counts by size of the median face."""
    with_faces = [photo for photo in photos if photo.faces]
    by_size = {}
    for size in SMALL_SIZES:
        shrunk = [shrink_to_faces(photo, size) for photo in with_faces]
        figures = summarize(shrunk, score_photos(detector, shrunk, SMALL_SMALLEST_COUNTED))
        by_size[str(size)] = {name: figures[name] for name in ("faces", "found", "false_alarms")}
    faces, found, false_alarms = (
        sum(counts[name] for counts in by_size.values()) for name in ("faces", "found", "false_alarms")
    )
    return {"recall": share(found, faces), "precision": share(found, found + false_alarms), "by_size": by_size}


def crop_to_timed_size(image: np.ndarray) -> np.ndarray:
    """Return an image scaled and cropped in the middle to TIMED_SIZE."""
    width, height = TIMED_SIZE
    scale = max(width / image.shape[1], height / image.shape[0])
    size = max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale))
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.ascontiguousarray(resized[top : top + height, left : left + width]).reshape(height, width, -1)


def time_detector(
    search: Callable[[np.ndarray], object], images: Sequence[np.ndarray], repetitions: int
) -> dict[str, float]:
    """Return the milliseconds an image of a search: median and ends over the repetitions, after a warm-up."""
    times = []
    for _ in range(repetitions + 1):
        start = time.perf_counter()
        for image in images:
            search(image)
        times.append((time.perf_counter() - start) / len(images) * 1000)
    return {"median": statistics.median(times[1:]), "low": min(times[1:]), "high": max(times[1:])}


def measure_detector(make: MakeDetector, photos: Sequence[TruePhoto], repetitions: int) -> dict[str, Any]:
    """Return what the result file holds of one detector."""
    detector = make(SMALLEST)
    images = [crop_to_timed_size(photo.image) for photo in photos]
    return {
        **summarize(photos, score_photos(detector, photos, SMALLEST_COUNTED)),
        "turned": measure_turned(detector, choose_portraits(photos)),
        "small": measure_small(make(min(SMALL_SIZES)), photos),
        "milliseconds": {
            "detect": time_detector(detector.detect, images, repetitions),
            "search": time_detector(detector.detect_raw, images, repetitions),
        },
    }


def measure(folder: Path, repetitions: int) -> dict[str, Any]:
    """Return what the result file holds.

    Raises:
        InputError: the folder cannot be used.
    """
    photos = read_photos(folder)
    counted = tqdm(DETECTORS.items(), desc="detectors", disable=None)
    return {
        "machine": processor(),
        "opencv": cv2.__version__,
        "photos": len(photos),
        "smallest": SMALLEST,
        "detectors": {name: measure_detector(make, photos, repetitions) for name, make in counted},
    }


def print_result(result: dict[str, Any]) -> None:
    """Print the result, a line a detector."""
    for name, figures in result["detectors"].items():
        kinds = ", ".join(f"{kind} {row['found']}/{row['faces']}" for kind, row in figures["by_kind"].items())
        turned = ", ".join(f"{angle}: {row['found']}/{row['faces']}" for angle, row in figures["turned"].items())
        small, times = figures["small"], figures["milliseconds"]
        print(
            f"{name}: recall {_percent(figures['recall'])}, precision {_percent(figures['precision'])}, all right "
            f"{_percent(figures['photos_all_right'])}, any reading {_percent(figures['photos_with_a_reading'])}, "
            f"{figures['false_alarms_without_faces']} false alarms in {figures['photos_without_faces']} photos without "
            f"faces; {times['detect']['median']:.1f} ms ({times['search']['median']:.1f} for the search)\n"
            f"  found: {kinds}\n  turned by degrees: {turned}\n"
            f"  faces of 24 to 40 pixels: recall {_percent(small['recall'])}, precision {_percent(small['precision'])}"
        )


def _percent(share: float | None) -> str:
    return "none to count" if share is None else f"{share:.1%}"


def main() -> None:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="a folder of photos with truth.json")
    parser.add_argument("--repetitions", type=int, default=5, help="of the timed search (%(default)s)")
    parser.add_argument("--out", type=Path, default=RESULT, help="%(default)s")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    result = measure(arguments.photos, arguments.repetitions)
    write_json(arguments.out, result)
    print_result(result)


if __name__ == "__main__":
    run_command(main)
