r"""The framing of faces in FER2013, and the distance of our detectors' boxes from it.

    python -m benchmarks.framing --fer2013 ../shared/data/fer2013.tar.gz \
        --faces-wild ../shared/data/faces_wild.tar --photos ../shared/data/photos

A model is most accurate where a face lies in the crop as faces did in training. FER2013's images are squares that were
cropped along the boxes of some detector. Three measurements relate our detectors' boxes to those squares.

- Canvases: each image of PublicTest is enlarged and put into the middle of a larger one. The detectors search that
  canvas. The medians over all faces give the scale from a box to the square, and how far their centers are apart. The
  border matters: FER2013's images are so tight that YuNet misses a part of them, and the border changes its boxes. So a
  sample is searched with several borders, and with twice the enlargement.
- Eyes, by YuNet's landmarks: in FER2013 as shares of the square, and in photographs as shares of YuNet's box. Together
  they give the framing without any border.
- The cascade: how its framed squares lie to YuNet's boxes, in the photos of benchmarks/detection.py.

Then the released model predicts faces that are cropped with several framings of YuNet's box, on canvases and on
photographs. It does so with several margins, too, for each detector. No face is leveled. These accuracies show which
framing is best, not how good the model is: it was chosen on PublicTest, and detectors miss the harder faces. Each
framing has the difference to the one in use, with the standard error of paired samples. benchmarks/labeled_faces.py
describes the photographs and the balanced accuracy. Only the large ones are used here.

results/faces.json gets the figures; framing.png shows the crops of the astronaut in scikit-image. It takes about five
minutes.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.face_results import write_section
from benchmarks.fer_package import read_fer2013
from benchmarks.framing_figure import plot_framing
from benchmarks.labeled_faces import BALANCED, choose_large, read_labeled_faces
from benchmarks.photos import ASTRONAUT, load_photo
from benchmarks.runs import RESULTS
from benchmarks.true_faces import TrueBox, match_boxes, read_photos, to_box
from emotion.core.errors import run_command
from emotion.core.params import load_params
from emotion.evaluation.metrics import predicted_labels
from emotion.faces.cascade import CascadeDetector
from emotion.faces.crop import align_crop
from emotion.faces.detection import Box, Detection, RawDetection
from emotion.faces.framing import CASCADE_FRAMING, YUNET_FRAMING, Framing, frame
from emotion.faces.yunet import YuNetDetector
from emotion.model_files.probabilities import predict_probabilities
from emotion.plots.style import save_figure
from emotion.runtimes.engine import Engine
from emotion.runtimes.engines import load_engine

ROOT = Path(__file__).resolve().parent.parent
FIGURE = RESULTS / "framing.png"
MODEL = Path("models/released/photo-nano/model_int8.tflite")
"""The default model of the commands, below ROOT."""

SEED = 2013

ENLARGED = 2
"""Times FER2013's 48 pixels. YuNet sees a face of 96 pixels as one of about 70."""

BORDER = 0.5
"""Border on each side, as a share of the image's side."""

SMALLEST_FACE = 24
"""Pixels of the smallest face that is searched for: a quarter of the enlarged image's side."""

MOST_OFFSET = 0.3
"""Largest distance of a face's center from the middle of the image, as a share of its side; others are false alarms."""

BORDER_SAMPLE = 300
"""Images that are searched with every border."""

TESTED_MARGINS = (-0.2, -0.15, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)

DRAWN_MARGINS = (-0.2, -0.1, 0.0, 0.1, 0.2, 0.4)
"""The margins of the figure."""

TESTED_SCALES = (1.06, 1.12, 1.18, 1.24)
TESTED_DOWNS = (-0.075, -0.05, -0.025, 0.0, 0.025)
"""The framings of YuNet's box that are compared."""

FRAMINGS = {"cascade": CASCADE_FRAMING, "yunet": YUNET_FRAMING}


class RawDetector(Protocol):
    """A detector that gives the faces as it frames them itself."""

    def detect_raw(self, image: np.ndarray) -> list[RawDetection]:
        """Return the faces of an image."""
        ...


class DetectedFace(NamedTuple):
    """A face in an image.

    Attributes:
        image: uint8 (height, width, 1 or 3).
        raw: the detection in it.
        emotion: the right one.
    """

    image: np.ndarray
    raw: RawDetection
    emotion: str


def make_detectors() -> dict[str, CascadeDetector | YuNetDetector]:
    """Return the detectors that are measured, by name."""
    return {"cascade": CascadeDetector(SMALLEST_FACE), "yunet": YuNetDetector(SMALLEST_FACE)}


def fill_mean(image: np.ndarray, border: int) -> np.ndarray:
    """Return an image (height, width) in a border of its mean."""
    return cv2.copyMakeBorder(
        image, border, border, border, border, cv2.BORDER_CONSTANT, value=[float(image.mean().round())]
    )


def fill_repeated(image: np.ndarray, border: int) -> np.ndarray:
    """Return an image (height, width) with its outermost pixels repeated around it."""
    return cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REPLICATE)


def fill_reflected(image: np.ndarray, border: int) -> np.ndarray:
    """Return an image (height, width) with its reflection around it."""
    return cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REFLECT_101)


def fill_blurred(image: np.ndarray, border: int) -> np.ndarray:
    """Return an image (height, width) with its blurred reflection around it."""
    blurred = cv2.GaussianBlur(fill_reflected(image, border), (0, 0), border / 4)
    blurred[border:-border, border:-border] = image
    return blurred


Fill = Callable[[np.ndarray, int], np.ndarray]

BORDERS: dict[str, Fill] = {
    "mean": fill_mean,
    "repeated": fill_repeated,
    "reflected": fill_reflected,
    "blurred reflection": fill_blurred,
}


def to_canvas(image: np.ndarray, enlarged: int = ENLARGED, fill: Fill = fill_mean) -> np.ndarray:
    """Return a square gray image (size, size), enlarged, in the middle of a border: uint8 (height, width, 1)."""
    size = len(image) * enlarged
    return fill(cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC), round(size * BORDER))[:, :, None]


def square_of(canvas: np.ndarray) -> Box:
    """Return the place of the image itself in a canvas."""
    side = round(len(canvas) / (1 + 2 * BORDER))
    start = (len(canvas) - side) // 2
    return Box(start, start, side, side)


def detect_central(detector: RawDetector, image: np.ndarray, square: Box) -> RawDetection | None:
    """Return the largest face that is detected near the middle of a square in `image`; None where there is none."""
    raw_detections = [raw for raw in detector.detect_raw(image) if np.abs(offset(raw, square)).max() <= MOST_OFFSET]
    return max(raw_detections, key=lambda raw: raw.side, default=None)


def offset(raw: RawDetection, square: Box) -> np.ndarray:
    """Return how far right of, and below, a box's center that of a square lies, as shares of the square's side."""
    middle = np.array([square.x + square.width / 2, square.y + square.height / 2])
    apart: np.ndarray = middle - raw.center
    return apart / square.width


def eyes_in(raw: RawDetection, center: np.ndarray, side: float) -> dict[str, float]:
    """Return the middle of the eyes in a square and how far they are apart, as shares of its side; and their tilt.

    Args:
        raw: the face, with landmarks.
        center: of the square, (x, y).
        side: of the square.

    Raises:
        ValueError: the detection has no landmarks.
    """
    if raw.landmarks is None:
        raise ValueError("this detector does not give the eyes")
    eyes = (np.array(raw.landmarks[:2]) - center) / side + 0.5
    x, y = eyes.mean(axis=0).tolist()
    across, down = (eyes[1] - eyes[0]).tolist()
    tilt = float(np.degrees(np.arctan2(down, across)))
    return {"x": x, "y": y, "distance": float(np.hypot(across, down)), "tilt_degrees": tilt}


def eyes_in_box(raw: RawDetection, box: Box) -> dict[str, float]:
    """Return `eyes_in` for the square `box`."""
    return eyes_in(raw, np.array([box.x, box.y]) + box.width / 2, box.width)


def quartiles(values: Sequence[float]) -> dict[str, float]:
    """Return the median of some numbers, and between what half of them lie."""
    low, median, high = np.percentile(values, [25, 50, 75]).tolist()
    return {"median": median, "low": low, "high": high}


def measure_boxes(faces: Sequence[DetectedFace]) -> dict[str, Any]:
    """Return how FER2013's squares lie to a detector's boxes in canvases.

    `scale` is the side of the square as a share of that of the box. `right` and `down` are the distances of their
    centers, as shares of the square's side.
    """
    squares = [square_of(face.image) for face in faces]
    offsets = np.array([offset(face.raw, square) for face, square in zip(faces, squares, strict=True)])
    return {
        "scale": quartiles([square.width / face.raw.side for face, square in zip(faces, squares, strict=True)]),
        "right": quartiles(offsets[:, 0].tolist()),
        "down": quartiles(offsets[:, 1].tolist()),
    }


def summarize_eyes(places: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Return the quartiles of what eyes_in returned for some faces."""
    return {name: quartiles([place[name] for place in places]) for name in places[0]}


def frame_by_eyes(in_squares: Mapping[str, Any], in_boxes: Mapping[str, Any]) -> dict[str, float]:
    """Return the framing that puts the eyes of photographs where FER2013 has them.

    Args:
        in_squares: the eyes in FER2013's squares, from summarize_eyes.
        in_boxes: the eyes in squares about YuNet's boxes in photographs.
    """
    scale = in_boxes["distance"]["median"] / in_squares["distance"]["median"]
    # Eyes lie y - 0.5 of the side below the center, in the box and in the square of `scale` times its side.
    down = (in_boxes["y"]["median"] - 0.5) / scale - (in_squares["y"]["median"] - 0.5)
    return {"scale": scale, "down": down}


def measure_borders(images: Sequence[np.ndarray]) -> dict[str, Any]:
    """Return how many of some images YuNet finds in canvases of each border, and the scales that it shows."""
    figures: dict[str, Any] = {}
    for name, fill in BORDERS.items():
        for enlarged in (ENLARGED, 2 * ENLARGED):
            detector = YuNetDetector(SMALLEST_FACE * enlarged // ENLARGED)
            canvases = [to_canvas(image, enlarged, fill) for image in images]
            faces = find_faces(detector, canvases, ["" for _ in images])
            key = f"{name}, enlarged {enlarged} times"
            figures[key] = {"found": len(faces) / len(images), **measure_boxes(faces)}
    return figures


def find_faces(
    detector: RawDetector, images: Sequence[np.ndarray], emotions: Sequence[str], name: str = ""
) -> list[DetectedFace]:
    """Return the face in the middle of each canvas, as far as it is found."""
    pairs = tqdm(list(zip(images, emotions, strict=True)), desc=name, unit=" images", disable=None if name else True)
    found = [(image, detect_central(detector, image, square_of(image)), emotion) for image, emotion in pairs]
    return [DetectedFace(image, raw, emotion) for image, raw, emotion in found if raw is not None]


def find_photographed(path: Path, detector: RawDetector) -> list[DetectedFace]:
    """Return the largest face of each large photograph in which one is found."""
    counted = tqdm(choose_large(read_labeled_faces(path)), desc="photographs", unit=" images", disable=None)
    found = [(face, detector.detect_raw(face.image)) for face in counted]
    return [
        DetectedFace(face.image, max(those, key=lambda raw: raw.side), face.emotion) for face, those in found if those
    ]


def compare_sides(cascade: RawDetector, yunet: RawDetector, photos: Iterable[np.ndarray]) -> dict[str, Any]:
    """Return how the cascade's squares lie to YuNet's boxes of the same faces: `scale` and `down` as for canvases."""
    scales, downs = [], []
    for photo in photos:
        squares = [frame(raw, CASCADE_FRAMING).box for raw in cascade.detect_raw(photo)]
        raws = yunet.detect_raw(photo)
        for place, number in match_boxes([TrueBox(*square) for square in squares], [to_box(raw) for raw in raws]):
            scales.append(squares[place].width / raws[number].side)
            downs.append(float(offset(raws[number], squares[place])[1]))
    return {"faces": len(scales), "scale": quartiles(scales), "down": quartiles(downs)}


def crop_faces(faces: Sequence[DetectedFace], framing: Framing, margin: float, size: int) -> np.ndarray:
    """Return faces as a model takes them, not leveled, uint8 (n, size, size, 1)."""
    return np.stack([align_crop(face.image, frame(face.raw, framing), margin, size, "grayscale") for face in faces])


def read_right(engine: Engine, crops: np.ndarray, emotions: Sequence[str]) -> np.ndarray:
    """Return whether a model reads each crop right, (n,)."""
    probabilities = predict_probabilities(engine, crops, flip=engine.metadata.flip)
    labels = predicted_labels(probabilities, engine.metadata.threshold)
    names = engine.metadata.emotions
    return np.array([names[label] == emotion for label, emotion in zip(labels, emotions, strict=True)])


def compare_framings(engine: Engine, faces: Sequence[DetectedFace], groups: Sequence[np.ndarray]) -> dict[str, Any]:
    """Return the accuracy of each framing of YuNet's box, and its difference to the framing in use.

    Args:
        engine: the model.
        faces: those that are cropped.
        groups: the places of the faces whose accuracies are averaged: all faces, or those of each emotion.
    """
    emotions = [face.emotion for face in faces]

    def score(framing: Framing) -> np.ndarray:
        return read_right(engine, crop_faces(faces, framing, 0, engine.metadata.size), emotions)

    chosen = score(YUNET_FRAMING)
    framings = [Framing(scale, down) for scale in TESTED_SCALES for down in TESTED_DOWNS]
    rows = [
        {**framing._asdict(), **compare_right(score(framing), chosen, groups)}
        for framing in tqdm(framings, desc="framings", disable=None)
    ]
    accuracy = float(np.mean([chosen[group].mean() for group in groups]))
    return {"faces": len(faces), "in_use": {**YUNET_FRAMING._asdict(), "accuracy": accuracy}, "framings": rows}


def compare_right(right: np.ndarray, chosen: np.ndarray, groups: Sequence[np.ndarray]) -> dict[str, float]:
    """Return the mean accuracy over groups of faces, the difference to another way, and its paired standard error."""
    differences = [right[group].astype(float) - chosen[group] for group in groups]
    variance = sum(float(difference.var()) / len(difference) for difference in differences)
    return {
        "accuracy": float(np.mean([right[group].mean() for group in groups])),
        "gain": float(np.mean([difference.mean() for difference in differences])),
        "standard_error": float(np.sqrt(variance)) / len(groups),
    }


def group_by_emotion(emotions: Sequence[str]) -> list[np.ndarray]:
    """Return the places of the faces of each emotion in BALANCED that occurs."""
    labels = np.array(emotions)
    places = [np.flatnonzero(labels == emotion) for emotion in BALANCED]
    return [place for place in places if len(place)]


def measure_margins(engine: Engine, faces: Sequence[DetectedFace], framing: Framing) -> dict[str, Any]:
    """Return a model's accuracy on detected canvases by margin, and on FER2013's own squares of the same faces."""
    emotions, size = [face.emotion for face in faces], engine.metadata.size
    squares = [align_crop(face.image, Detection(square_of(face.image)), 0, size, "grayscale") for face in faces]
    return {
        "as_they_are": float(read_right(engine, np.stack(squares), emotions).mean()),
        "by_margin": {
            str(margin): float(read_right(engine, crop_faces(faces, framing, margin, size), emotions).mean())
            for margin in TESTED_MARGINS
        },
    }


def measure_astronaut() -> dict[str, Any]:
    """Return where the eyes of the astronaut are in each detector's square at margin 0, before leveling."""
    photo = load_photo(ASTRONAUT)
    largest = {
        name: max(detector.detect_raw(photo), key=lambda raw: raw.side) for name, detector in make_detectors().items()
    }
    return {name: eyes_in_box(largest["yunet"], frame(raw, FRAMINGS[name]).box) for name, raw in largest.items()}


def measure(fer2013: Path, faces_wild: Path, photos: Path, model: Path) -> tuple[dict[str, Any], np.ndarray]:
    """Return what the result file holds, and the mean of FER2013's images, (48, 48).

    Raises:
        InputError: a file cannot be used, or what a detector needs is not installed.
    """
    engine = load_engine(model)
    detectors = make_detectors()
    data = read_fer2013(fer2013, load_params("split", path=ROOT / "params.yaml"))
    rows = data.table[(data.table["excluded"] == "") & (data.table["split"] == "val")]
    images, emotions = data.images(rows), [engine.metadata.emotions[label] for label in rows["label"]]
    canvases = [to_canvas(image) for image in images]
    faces = {name: find_faces(detector, canvases, emotions, name) for name, detector in detectors.items()}
    wild = find_photographed(faces_wild, detectors["yunet"])
    sample = np.random.default_rng(SEED).choice(len(images), min(BORDER_SAMPLE, len(images)), replace=False)
    in_squares = summarize_eyes([eyes_in_box(face.raw, square_of(face.image)) for face in faces["yunet"]])
    in_boxes = summarize_eyes([eyes_in(face.raw, face.raw.center, face.raw.side) for face in wild])
    result = {
        "images": len(images),
        "model": model.resolve().relative_to(ROOT).as_posix() if model.resolve().is_relative_to(ROOT) else model.name,
        "eyes": in_squares,
        "astronaut_eyes": measure_astronaut(),
        "borders": measure_borders([images[place] for place in sample]),
        "photographs": {
            "eyes_in_box": in_boxes,
            "framing_by_eyes": frame_by_eyes(in_squares, in_boxes),
            "cascade_square": compare_sides(
                detectors["cascade"], detectors["yunet"], [photo.image for photo in read_photos(photos)]
            ),
        },
        "detectors": {
            name: {
                "found": len(found) / len(images),
                **measure_boxes(found),
                "accuracy": measure_margins(engine, found, FRAMINGS[name]),
            }
            for name, found in faces.items()
        },
        "framings": {
            "canvases": compare_framings(engine, faces["yunet"], [np.arange(len(faces["yunet"]))]),
            "photographs": compare_framings(engine, wild, group_by_emotion([face.emotion for face in wild])),
        },
    }
    return result, np.mean(images, axis=0)


def draw_crops(result: dict[str, Any], mean: np.ndarray) -> None:
    """Write the figure of the astronaut's crops."""
    photo = load_photo(ASTRONAUT)
    faces = {name: detector.detect(photo)[0] for name, detector in make_detectors().items()}
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
            f" {figures['down']['median']:+.3f} down, accuracy {by_margin['0.0']:.4f} "
            f"({figures['accuracy']['as_they_are']:.4f} as they are), best at margin "
            f"{max(by_margin, key=by_margin.__getitem__)}"
        )
    for name, figures in result["borders"].items():
        print(f"  {name}: {figures['found']:.1%} detected, scale {figures['scale']['median']:.3f}")
    by_eyes, square = (result["photographs"][name] for name in ("framing_by_eyes", "cascade_square"))
    print(
        f"photographs: by their eyes scale {by_eyes['scale']:.3f}, down {by_eyes['down']:+.3f}; "
        f"by the cascade {square['scale']['median']:.3f} and {square['down']['median']:+.3f}"
    )
    for name, figures in result["framings"].items():
        print(f"{name}, {figures['faces']} faces, in use {figures['in_use']}")
        for row in sorted(figures["framings"], key=lambda row: -row["accuracy"]):
            print(
                f"  scale {row['scale']:.2f}, down {row['down']:+.3f}: {row['accuracy']:.4f}, "
                f"{row['gain']:+.4f} (standard error {row['standard_error']:.4f})"
            )


def main() -> None:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fer2013", type=Path, required=True, help="fer2013.tar.gz")
    parser.add_argument("--faces-wild", type=Path, required=True, help="a folder or tar file, one folder an emotion")
    parser.add_argument("--photos", type=Path, required=True, help="a folder of photos with truth.json")
    parser.add_argument("--model", type=Path, default=ROOT / MODEL, help=f"a model file ({MODEL})")
    arguments = parser.parse_args()
    result, mean = measure(arguments.fer2013, arguments.faces_wild, arguments.photos, arguments.model)
    write_section("framing", result)
    draw_crops(result, mean)
    print_result(result)


if __name__ == "__main__":
    run_command(main)
