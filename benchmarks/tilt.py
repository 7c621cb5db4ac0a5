"""The tilt of faces: what YuNet's landmarks show of it, and accuracy on turned faces with and without leveling.

    python -m benchmarks.tilt --fer2013 ../shared/data/fer2013.tar.gz --faces-wild ../shared/data/faces_wild.tar

Faces are turned by 0, 10, 20, 30 and 45 degrees, every second one to the left. The detector `yunet`, quick, searches
the turned image, and the face about its middle is cropped in three ways: not leveled, leveled as `emotion predict` does
it, and turned back by exactly the angle. A model reads the crops. The faces are:

- canvases: a sample of PublicTest, each image in a border, as in benchmarks/framing.py;
- large photographs of labeled faces, turned around the face with their border reflected around them. Their accuracy is
  the balanced one of benchmarks/labeled_faces.py.

The error of the tilt includes that of faces which lean by themselves. Looks are the searches in the square around a
face that measured its tilt.

The second part shows photographed faces to YuNet at a given size and angle. It gives the medians of the tilts of eyes,
mouth and axis (see `LineTilts`). From such landmarks, least squares fit the weights of the estimate for small faces and
the gain for large ones, which emotion/faces/close_look.py has as HINT_WEIGHTS and TILT_GAIN.

results/faces.json gets the figures. It takes about five minutes.
"""

import argparse
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import cv2
import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from benchmarks.detection import turn_around
from benchmarks.face_results import write_section
from benchmarks.fer_package import read_fer2013
from benchmarks.framing import (
    MODEL,
    ROOT,
    SEED,
    SMALLEST_FACE,
    compare_right,
    detect_central,
    group_by_emotion,
    read_right,
    square_of,
    to_canvas,
)
from benchmarks.labeled_faces import LabeledFace, choose_large, read_labeled_faces
from emotion.core.errors import run_command
from emotion.core.params import load_params
from emotion.faces import close_look
from emotion.faces.close_look import (
    HINT_WEIGHTS,
    LEAST_HINT,
    LEAST_TILT,
    LEVELING_CONTEXT,
    LEVELING_SIDE,
    TILT_GAIN,
    LineTilts,
    line_tilts,
    measure_tilt,
)
from emotion.faces.crop import align_crop
from emotion.faces.detection import Box, RawDetection
from emotion.faces.framing import YUNET_FRAMING, frame
from emotion.faces.yunet import YuNetDetector
from emotion.faces.yunet_network import find_faces
from emotion.runtimes.engine import Engine
from emotion.runtimes.engines import load_engine

ANGLES = (0, 10, 20, 30, 45)
CANVASES = 1000
"""Images of PublicTest, chosen by SEED."""

PHOTO_SMALLEST = 40
"""Pixels of the smallest face that is searched for in photographs."""

CANVAS = 1.25
"""Side of the canvas of a turned photograph, as a multiple of its longest side."""

SHOWN_SIDES = (32, 48, 64, 80, 96, 112, 128, 160, 200)
"""Pixels of the faces in the table of landmarks."""

SHOWN_FACES, SHOWN_LEAST = 120, 150
"""Faces in that table, chosen by SEED, and their least side in the photograph."""

SHOWN_CONTEXT, SHOWN_SCORE = 2.0, 0.5
"""Side of the square that shows a face, as a multiple of the face's; and the lowest score of a face in it."""

HINT_SIDES = (24, 32, 48, 64, 80, 96)
HINT_ANGLES = (-30, -20, -10, 0, 10, 20, 30)
GAIN_ANGLES = (-20, -10, 0, 10, 20)
"""Sizes and angles that weights and gain are fitted to."""

MATCHED_ANGLE = 20
"""The angle at which fitted weights get as many looks as those in use. So their needless looks compare."""


class UprightFace(NamedTuple):
    """A face to turn.

    Attributes:
        image: uint8 (height, width, 1 or 3).
        center: around which it is turned, (x, y).
        side: about that of the face, in pixels.
        emotion: the right one.
    """

    image: np.ndarray
    center: np.ndarray
    side: float
    emotion: str


class TurnedFace(NamedTuple):
    """A face that was found in a turned image.

    Attributes:
        image: the turned one.
        raw: the detection.
        angle: by which it was turned, in radians, above 0 where it leans to the right.
        tilt: as the detector measured it, in radians.
        emotion: the right one.
    """

    image: np.ndarray
    raw: RawDetection
    angle: float
    tilt: float
    emotion: str


def read_canvases(fer2013: Path, emotions: Sequence[str]) -> list[UprightFace]:
    """Return a sample of PublicTest in canvases."""
    data = read_fer2013(fer2013, load_params("split", path=ROOT / "params.yaml"))
    rows = data.table[(data.table["excluded"] == "") & (data.table["split"] == "val")]
    rows = rows.sample(CANVASES, random_state=SEED)
    canvases = [to_canvas(image) for image in data.images(rows)]
    labels = [emotions[label] for label in rows["label"]]
    return [
        UprightFace(canvas, np.full(2, len(canvas) / 2), square_of(canvas).width, emotion)
        for canvas, emotion in zip(canvases, labels, strict=True)
    ]


def find_upright(faces: Iterable[LabeledFace]) -> list[UprightFace]:
    """Return the largest face of each photograph in which YuNet finds one, searching thoroughly."""
    detector = YuNetDetector(PHOTO_SMALLEST // 2)
    pairs = [(face, max(detector.detect_raw(face.image), key=lambda raw: raw.side, default=None)) for face in faces]
    return [UprightFace(face.image, raw.center, raw.side, face.emotion) for face, raw in pairs if raw is not None]


def find_turned(faces: Sequence[UprightFace], degrees: int, smallest: int) -> tuple[list[TurnedFace], int]:
    """Return the faces that are found in images turned by an angle, and the number of looks for their tilts."""
    detector, found, looks = YuNetDetector(smallest), [], 0
    for number, face in enumerate(faces):
        signed = degrees if number % 2 else -degrees
        size = round(CANVAS * max(face.image.shape[:2]))
        turned = turn_around(face.image, face.center, signed, size)
        corner = round((size - face.side) / 2)
        raw = detect_central(detector, turned, Box(corner, corner, round(face.side), round(face.side)))
        if raw is not None:
            with patch.object(close_look, "find_faces", wraps=find_faces) as searches:
                tilt = measure_tilt(turned, raw)
            looks += searches.call_count
            found.append(TurnedFace(turned, raw, math.radians(signed), tilt, face.emotion))
    return found, looks


def measure_angle(
    engine: Engine, faces: Sequence[UprightFace], degrees: int, smallest: int, *, balanced: bool
) -> dict[str, Any]:
    """Return the figures of faces turned by an angle: those found, the error of the tilt, and accuracies."""
    found, looks = find_turned(faces, degrees, smallest)
    emotions = [face.emotion for face in found]
    groups = group_by_emotion(emotions) if balanced else [np.arange(len(found))]
    not_leveled, leveled, exactly = (
        read_right(engine, crop_faces(found, tilts, engine.metadata.size), emotions)
        for tilts in ([0.0] * len(found), [face.tilt for face in found], [face.angle for face in found])
    )
    errors = np.degrees([abs(face.tilt - face.angle) for face in found])
    return {
        "found": len(found) / len(faces),
        "tilt_error": {"median": float(np.median(errors)), "p90": float(np.percentile(errors, 90))},
        "leveled_share": float(np.mean([face.tilt != 0 for face in found])),
        "looks": looks / len(found),
        "not_leveled": compare_right(not_leveled, not_leveled, groups)["accuracy"],
        "leveled": compare_right(leveled, not_leveled, groups),
        "turned_back": compare_right(exactly, not_leveled, groups),
    }


def crop_faces(faces: Sequence[TurnedFace], tilts: Iterable[float], size: int) -> np.ndarray:
    """Return the faces as a model takes them, leveled by given tilts in radians: uint8 (n, size, size, 1)."""
    return np.stack(
        [
            align_crop(face.image, frame(face.raw, YUNET_FRAMING, tilt), 0, size, "grayscale")
            for face, tilt in zip(faces, tilts, strict=True)
        ]
    )


def show_face(face: UprightFace, side: int, degrees: float, context: float) -> np.ndarray:
    """Return the square around a face, which has `side` pixels in it and is turned: uint8 (size, size, 1 or 3)."""
    scale = side / face.side
    size = max(1, round(face.image.shape[1] * scale)), max(1, round(face.image.shape[0] * scale))
    image = cv2.resize(face.image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return turn_around(image.reshape(*image.shape[:2], -1), face.center * scale, degrees, round(side * context))


def read_landmarks(
    faces: Sequence[UprightFace], side: int, degrees: float, context: float = SHOWN_CONTEXT
) -> list[LineTilts]:
    """Return what the landmarks of turned faces of one size show, for the faces that are found."""
    searched = [find_faces(show_face(face, side, degrees, context), SHOWN_SCORE) for face in faces]
    return [line_tilts(found[0]) for found in searched if found]


def measure_landmarks(faces: Sequence[UprightFace]) -> dict[str, Any]:
    """Return by size and angle the faces found and the medians of their tilts in degrees."""
    table: dict[str, Any] = {}
    for side in tqdm(SHOWN_SIDES, desc="sizes", disable=None):
        table[str(side)] = {}
        for degrees in ANGLES:
            tilts = read_landmarks(faces, side, degrees)
            medians = np.degrees(np.median(tilts, axis=0)).tolist() if tilts else [None] * 3
            names = dict(zip(LineTilts._fields, medians, strict=True))
            table[str(side)][str(degrees)] = {"found": len(tilts) / len(faces), **names}
    return table


def fit_constants(faces: Sequence[UprightFace]) -> dict[str, Any]:
    """Return HINT_WEIGHTS and TILT_GAIN as least squares give them, and as they are in use.

    `looks` has the share of faces whose estimated tilt is worth a look, by angle, for either weights.
    """
    hints = {
        degrees: np.array([tilts for side in HINT_SIDES for tilts in read_landmarks(faces, side, degrees)])
        for degrees in HINT_ANGLES
    }
    looks = {
        degrees: np.array(read_landmarks(faces, LEVELING_SIDE, degrees, LEVELING_CONTEXT)) for degrees in GAIN_ANGLES
    }
    # Medians, since landmarks of some faces are far off.
    (gain,) = fit_weights([[np.median(tilts.mean(axis=1))] for tilts in looks.values()], list(looks))
    weights = fit_hint_weights(hints)
    return {
        "hint_weights": {"fitted": weights, "in_use": list(HINT_WEIGHTS)},
        "tilt_gain": {"fitted": gain, "in_use": TILT_GAIN},
        "looks": {
            str(angle): {
                name: share_of_looks(join_sides(hints, angle), used)
                for name, used in (("fitted", weights), ("in_use", HINT_WEIGHTS))
            }
            for angle in sorted(set(map(abs, HINT_ANGLES)))
        },
    }


def fit_hint_weights(hints: Mapping[int, np.ndarray]) -> list[float]:
    """Return the weights that least squares give, scaled so that MATCHED_ANGLE gets as many looks as with those in use.

    Args:
        hints: tilts in radians (n, 3) by the true angle in degrees.
    """
    degrees = np.repeat(list(hints), [len(tilts) for tilts in hints.values()]).tolist()
    weights = np.array(fit_weights(np.concatenate(list(hints.values())), degrees))
    matched = join_sides(hints, MATCHED_ANGLE)
    limit = np.quantile(np.abs(matched @ weights), 1 - share_of_looks(matched, HINT_WEIGHTS))
    scaled: list[float] = (weights * LEAST_HINT / limit).tolist()
    return scaled


def join_sides(hints: Mapping[int, np.ndarray], angle: int) -> np.ndarray:
    """Return the tilts of the faces that were turned by an angle to either side, (n, 3)."""
    return np.concatenate([tilts for degrees, tilts in hints.items() if abs(degrees) == angle])


def share_of_looks(tilts: np.ndarray, weights: Sequence[float]) -> float:
    """Return the share of faces with an estimated tilt of at least LEAST_HINT, from their tilts (n, 3) in radians."""
    return float(np.mean(np.abs(tilts @ np.array(weights)) >= LEAST_HINT))


def fit_weights(tilts: ArrayLike, degrees: Sequence[float]) -> list[float]:
    """Return the weights (n,) with the least squared error of angles as sums of weighted tilts.

    Args:
        tilts: in radians, (m, n).
        degrees: the true angles, (m,).
    """
    weights: list[float] = np.linalg.lstsq(np.asarray(tilts, float), np.radians(degrees), rcond=None)[0].tolist()
    return weights


def measure(fer2013: Path, faces_wild: Path, model: Path) -> dict[str, Any]:
    """Return what the result file holds.

    Raises:
        InputError: a file cannot be used.
    """
    engine = load_engine(model)
    photographs = find_upright(choose_large(read_labeled_faces(faces_wild)))
    sets = {
        "canvases": (read_canvases(fer2013, engine.metadata.emotions), SMALLEST_FACE, False),
        "photographs": (photographs, PHOTO_SMALLEST, True),
    }
    turned: dict[str, Any] = {}
    for name, (faces, smallest, balanced) in sets.items():
        angles = tqdm(ANGLES, desc=name, unit=" angles", disable=None)
        by_angle = {str(angle): measure_angle(engine, faces, angle, smallest, balanced=balanced) for angle in angles}
        turned[name] = {"faces": len(faces), "by_angle": by_angle}
    large = [face for face in photographs if face.side >= SHOWN_LEAST]
    chosen = np.random.default_rng(SEED).permutation(len(large))[:SHOWN_FACES]
    shown = [large[place] for place in chosen]
    return {
        "model": model.resolve().relative_to(ROOT).as_posix() if model.resolve().is_relative_to(ROOT) else model.name,
        "least_tilt_degrees": math.degrees(LEAST_TILT),
        "turned": turned,
        "landmarks": {"faces": len(shown), "by_side": measure_landmarks(shown)},
        "fit": fit_constants(shown),
    }


def print_result(result: dict[str, Any]) -> None:
    """Print the result."""
    for name, figures in result["turned"].items():
        print(f"{name}, {figures['faces']} faces")
        for angle, row in figures["by_angle"].items():
            leveled, back = row["leveled"], row["turned_back"]
            print(
                f"  {angle:>2} degrees: {row['found']:.1%} found, tilt off by {row['tilt_error']['median']:.1f} "
                f"(90 % below {row['tilt_error']['p90']:.1f}), {row['looks']:.2f} looks a face, accuracy "
                f"{row['not_leveled']:.1%} not leveled, {leveled['accuracy']:.1%} leveled ({leveled['gain']:+.1%}, "
                f"standard error {leveled['standard_error']:.1%}), {back['accuracy']:.1%} turned back"
            )
    for side, by_angle in result["landmarks"]["by_side"].items():
        tilts = ", ".join(
            f"{angle}: " + " ".join("-" if row[key] is None else f"{row[key]:.1f}" for key in LineTilts._fields)
            for angle, row in by_angle.items()
        )
        print(f"{side:>3} pixels, tilts of eyes, mouth and axis: {tilts}")
    print(result["fit"])


def main() -> None:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fer2013", type=Path, required=True, help="fer2013.tar.gz")
    parser.add_argument("--faces-wild", type=Path, required=True, help="a folder or tar file, one folder an emotion")
    parser.add_argument("--model", type=Path, default=ROOT / MODEL, help=f"a model file ({MODEL})")
    arguments = parser.parse_args()
    result = measure(arguments.fer2013, arguments.faces_wild, arguments.model)
    write_section("tilt", result)
    print_result(result)


if __name__ == "__main__":
    run_command(main)
