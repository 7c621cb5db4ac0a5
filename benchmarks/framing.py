"""The framing of faces in FER2013, and the distance of our detectors' boxes from it.

    python -m benchmarks.framing --fer2013 ../shared/data/fer2013.tar.gz

A model is most accurate where a face lies in the crop as faces did in training. FER2013's images are squares that were
cropped along the boxes of some detector. Here each image of PublicTest is pasted into a larger one, with its border
repeated around it. Both detectors search that image. The medians over all
faces give the scale from a detector's box to FER2013's square, and how far their centers are apart;
emotion/faces/framing.py holds the scales. MTCNN gives the eyes too, so that the result can be checked on a photo,
where no border was repeated: in its crops, eyes must lie where FER2013 has them.

Then the released model predicts the faces as `emotion predict` would, with several margins. These accuracies show
which margin is best, not how good the model is: it was chosen on PublicTest, and detectors miss the harder faces.

results/framing.json gets the figures; framing.png shows the crops of the astronaut in scikit-image.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.default_model import DEFAULT_MODEL, RELEASED_MODEL
from benchmarks.fer_package import read_fer2013
from benchmarks.framing_figure import plot_framing
from benchmarks.photos import ASTRONAUT, load_photo
from emotion.core.errors import run_command
from emotion.core.files import write_json
from emotion.core.params import load_params
from emotion.evaluation.metrics import predicted_labels
from emotion.faces.cascade import CascadeDetector
from emotion.faces.crop import align_crop
from emotion.faces.detection import Box, Detection, RawDetection
from emotion.faces.framing import CASCADE_SCALE, MTCNN_SCALE, frame
from emotion.faces.mtcnn import MTCNNDetector
from emotion.model_files.probabilities import predict_probabilities
from emotion.plots.style import save_figure
from emotion.runtimes.engine import Engine
from emotion.runtimes.engines import load_engine

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "results/framing.json"
FIGURE = RESULT.with_suffix(".png")

ENLARGED = 2
"""Times FER2013's 48 pixels, so that no face is near the smallest that a detector knows."""

BORDER = 0.5
"""Repeated border on each side, as a share of the image's side."""

SMALLEST_FACE = 24
"""Pixels of the smallest face that is searched for: a quarter of the enlarged image's side."""

MOST_OFFSET = 0.3
"""Largest distance of a face's center from the middle of the image, as a share of its side; others are false alarms."""

TESTED_MARGINS = (-0.2, -0.15, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)

DRAWN_MARGINS = (-0.2, -0.1, 0.0, 0.1, 0.2, 0.4)
"""The margins of the figure."""

FRAMING_SCALES = {"cascade": CASCADE_SCALE, "mtcnn": MTCNN_SCALE}


class RawDetector(Protocol):
    """A detector that gives the faces as it frames them itself."""

    def detect_raw(self, image: np.ndarray) -> list[RawDetection]:
        """Return the faces of an image."""
        ...


class DetectedFace(NamedTuple):
    """An image of FER2013, enlarged, with a border around it: (height, width, 1); and the detection in it."""

    canvas: np.ndarray
    raw: RawDetection

    @property
    def square(self) -> Box:
        """The place of FER2013's own image in the canvas."""
        return square_of(self.canvas)


def make_detectors() -> dict[str, CascadeDetector | MTCNNDetector]:
    """Return the detectors that are measured, by name."""
    return {"cascade": CascadeDetector(SMALLEST_FACE), "mtcnn": MTCNNDetector(SMALLEST_FACE)}


def to_canvas(image: np.ndarray) -> np.ndarray:
    """Return a square gray image (size, size), enlarged, in the middle of its repeated border."""
    size = len(image) * ENLARGED
    enlarged = cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC)
    border = round(size * BORDER)
    return cv2.copyMakeBorder(enlarged, border, border, border, border, cv2.BORDER_REPLICATE)[:, :, None]


def square_of(canvas: np.ndarray) -> Box:
    """Return where the image itself lies in a canvas."""
    side = round(len(canvas) / (1 + 2 * BORDER))
    start = (len(canvas) - side) // 2
    return Box(start, start, side, side)


def inside(canvas: np.ndarray) -> np.ndarray:
    """Return the image without its repeated border."""
    x, y, width, height = square_of(canvas)
    return canvas[y : y + height, x : x + width]


def detect_central(detector: RawDetector, image: np.ndarray, square: Box) -> RawDetection | None:
    """Return the largest face that is detected near the middle of a square in `image`; None where there is none."""
    raw_detections = [raw for raw in detector.detect_raw(image) if np.abs(offset(raw, square)).max() <= MOST_OFFSET]
    return max(raw_detections, key=lambda raw: raw.side, default=None)


def offset(raw: RawDetection, square: Box) -> np.ndarray:
    """Return how far right of, and below, a box's center that of a square lies, as shares of the square's side."""
    x = square.x + square.width / 2 - (raw.x + raw.width / 2)
    y = square.y + square.height / 2 - (raw.y + raw.height / 2)
    return np.array([x, y]) / square.width


def eyes_in(raw: RawDetection, square: Box) -> dict[str, float]:
    """Return the middle of the eyes in a square and how far they are apart, as shares of its side; and their tilt."""
    if raw.eyes is None:
        raise ValueError("this detector does not give the eyes")
    eyes = (np.array(raw.eyes) - [square.x, square.y]) / square.width
    x, y = eyes.mean(axis=0).tolist()
    across, down = (eyes[1] - eyes[0]).tolist()
    tilt = float(np.degrees(np.arctan2(down, across)))
    return {"x": x, "y": y, "distance": float(np.hypot(across, down)), "tilt_degrees": tilt}


def quartiles(values: Sequence[float]) -> dict[str, float]:
    """Return the median of some numbers, and between what half of them lie."""
    low, median, high = np.percentile(values, [25, 50, 75]).tolist()
    return {"median": median, "low": low, "high": high}


def measure_boxes(faces: Sequence[DetectedFace]) -> dict[str, Any]:
    """Return how FER2013's squares lie to a detector's boxes.

    `scale` is the side of the square as a share of that of the box. `right` and `down` are the distances of their
    centers, as shares of the square's side.
    """
    offsets = np.array([offset(face.raw, face.square) for face in faces])
    return {
        "scale": quartiles([face.square.width / face.raw.side for face in faces]),
        "right": quartiles(offsets[:, 0].tolist()),
        "down": quartiles(offsets[:, 1].tolist()),
    }


def measure_eyes(faces: Sequence[DetectedFace]) -> dict[str, Any]:
    """Return where the eyes are in FER2013's squares, by a detector that gives them."""
    places = [eyes_in(face.raw, face.square) for face in faces]
    return {name: quartiles([place[name] for place in places]) for name in places[0]}


def measure_accuracy(faces: Sequence[DetectedFace], y_true: np.ndarray, engine: Engine, scale: float) -> dict[str, Any]:
    """Return a model's accuracy on the detected faces: by margin, and at margin 0 also without leveling.

    `as_they_are` is for FER2013's own squares of the same faces.
    """
    score = partial(measure_crops, engine, y_true)
    crops = partial(crops_of, size=engine.metadata.size)
    squares = [(face.canvas, Detection(face.square)) for face in faces]
    framed = [(face.canvas, frame(face.raw, scale)) for face in faces]
    not_leveled = [(canvas, Detection(detection.box)) for canvas, detection in framed]
    return {
        "as_they_are": score(crops(squares, 0)),
        "not_levelled": score(crops(not_leveled, 0)),
        "by_margin": {str(margin): score(crops(framed, margin)) for margin in TESTED_MARGINS},
    }


def crops_of(faces: Sequence[tuple[np.ndarray, Detection]], margin: float, size: int) -> np.ndarray:
    """Return faces as a model takes them, uint8 (n, size, size, 1)."""
    return np.stack([align_crop(image, detection, margin, size, "grayscale") for image, detection in faces])


def measure_crops(engine: Engine, y_true: np.ndarray, crops: np.ndarray) -> float:
    """Return a model's accuracy on crops, 0 to 1."""
    probabilities = predict_probabilities(engine, crops, flip=engine.metadata.flip)
    return float(np.mean(predicted_labels(probabilities, engine.metadata.threshold) == y_true))


def measure_detector(
    detector: RawDetector, name: str, canvases: Sequence[np.ndarray], y_true: np.ndarray, engine: Engine
) -> tuple[dict[str, Any], list[DetectedFace]]:
    """Return what the result file holds of one detector, and the faces that it detects."""
    counted = tqdm(canvases, desc=name, unit=" images", disable=None)
    raw_detections = [detect_central(detector, canvas, square_of(canvas)) for canvas in counted]
    faces = [DetectedFace(canvas, raw) for canvas, raw in zip(canvases, raw_detections, strict=True) if raw is not None]
    known = y_true[[raw is not None for raw in raw_detections]]
    whole = Box(0, 0, square_of(canvases[0]).width, square_of(canvases[0]).height)
    without_border = [detect_central(detector, inside(canvas), whole) is not None for canvas in canvases]
    figures = {
        "found": len(faces) / len(canvases),
        "found_without_border": float(np.mean(without_border)),
        **measure_boxes(faces),
        "accuracy": measure_accuracy(faces, known, engine, FRAMING_SCALES[name]),
    }
    return figures, faces


def measure_photo(photo: np.ndarray, raw_detections: dict[str, RawDetection]) -> dict[str, Any]:
    """Return where the eyes of the photo's face are in the squares of margin 0, before leveling."""
    by_mtcnn = raw_detections["mtcnn"]
    return {name: eyes_in(by_mtcnn, frame(raw, FRAMING_SCALES[name]).box) for name, raw in raw_detections.items()}


def measure(fer2013: Path, model: Path) -> tuple[dict[str, Any], np.ndarray]:
    """Return what the result file holds, and the mean of FER2013's images, (48, 48).

    Raises:
        InputError: a file cannot be used, or what a detector needs is not installed.
    """
    photo, engine = load_photo(ASTRONAUT), load_engine(model)
    detectors = make_detectors()
    data = read_fer2013(fer2013, load_params("split", path=ROOT / "params.yaml"))
    rows = data.table[(data.table["excluded"] == "") & (data.table["split"] == "val")]
    images, y_true = data.images(rows), rows["label"].to_numpy()
    canvases = [to_canvas(image) for image in images]
    measured = {name: measure_detector(detectors[name], name, canvases, y_true, engine) for name in detectors}
    raw_detections = {
        name: max(detector.detect_raw(photo), key=lambda raw: raw.side) for name, detector in detectors.items()
    }
    result = {
        "images": len(images),
        "model": model.resolve().relative_to(ROOT).as_posix() if model.resolve().is_relative_to(ROOT) else model.name,
        "eyes": measure_eyes(measured["mtcnn"][1]),
        "astronaut_eyes": measure_photo(photo, raw_detections),
        "detectors": {name: figures for name, (figures, _) in measured.items()},
    }
    return result, np.mean(images, axis=0)


def draw_crops(result: dict[str, Any], mean: np.ndarray) -> None:
    """Write the figure of the astronaut's crops."""
    photo = load_photo(ASTRONAUT)
    detectors = make_detectors()
    faces = {name: detector.detect(photo)[0] for name, detector in detectors.items()}
    crops = {
        name: {margin: align_crop(photo, face, margin, len(mean), "grayscale")[:, :, 0] for margin in DRAWN_MARGINS}
        for name, face in faces.items()
    }
    save_figure(plot_framing(result, mean, crops), FIGURE)


def print_result(result: dict[str, Any]) -> None:
    """Print the result."""
    for name, figures in result["detectors"].items():
        by_margin = figures["accuracy"]["by_margin"]
        print(
            f"{name}: {figures['found']:.1%} detected, FER2013's side is {figures['scale']['median']:.3f} of the box's,"
            f" accuracy {by_margin['0.0']:.4f} ({figures['accuracy']['as_they_are']:.4f} as they are), best at margin "
            f"{max(by_margin, key=by_margin.__getitem__)}"
        )


def main() -> None:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fer2013", type=Path, required=True, help="fer2013.tar.gz")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help=f"a model file ({RELEASED_MODEL})")
    arguments = parser.parse_args()
    result, mean = measure(arguments.fer2013, arguments.model)
    write_json(RESULT, result)
    draw_crops(result, mean)
    print_result(result)


if __name__ == "__main__":
    run_command(main)
