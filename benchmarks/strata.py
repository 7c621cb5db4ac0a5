"""Errors of a model on labeled photographs by what can be measured without knowing the emotion.

    python -m benchmarks.strata --faces-wild ../shared/data/faces_wild.tar

benchmarks/labeled_faces.py describes the photographs. Those of its five emotions are scored, and the model may answer
any that it knows. The largest face that YuNet finds is read as `emotion predict` reads it. Where none is found, the
whole image is read. The strata are:

- `size`: the side of the face in pixels. Photographs of 350x350 pixels were enlarged, so their number says little, and
  the small ones are color images of another origin.
- `sharpness`: the variance of the Laplacian of the face at 96x96 pixels, so that size has no part in it.
- `light`: the mean gray of the face.
- `tilt`: the angle by which the crop is turned so that the face is upright, in degrees. Less than ten are not leveled.

The bounds are fixed. Those of sharpness and light are near the thirds of these photographs. Strata differ in their
shares of emotions, so compare balanced accuracy and recall.

With `--folder` the photographs and a manifest with these columns are written there, for
`emotion evaluate --data FOLDER --groups size,sharpness,light,tilt`, or for a training with `evaluate.groups`.

results/faces.json gets the figures. It takes about a minute.
"""

import argparse
import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.face_results import FACE_RESULTS, write_section
from benchmarks.labeled_faces import BALANCED, LabeledFace, read_labeled_faces
from emotion.core.errors import run_command
from emotion.core.params import load_params
from emotion.evaluation.group_columns import EMPTY
from emotion.evaluation.groups import group_figures
from emotion.evaluation.report import SplitPredictions, score_split
from emotion.faces.detection import Detection
from emotion.faces.whole_image import whole_image
from emotion.inference.predictor import Predictor
from emotion.presentation.formats import figure_text, gap_text

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "models/released/photo/model.keras"

SHARPNESS_SIDE = 96
"""Pixels of the side to which a face is resized before its sharpness is measured."""

BOUNDS: dict[str, tuple[int, ...]] = {"size": (300,), "sharpness": (120, 190), "light": (105, 125), "tilt": (10,)}
"""The lowest value of each stratum but the first, by column."""


def name_stratum(value: float, bounds: Sequence[int]) -> str:
    """Return the name of the stratum of a value: `0-99`, `100-299` or `300+` for the bounds 100 and 300."""
    edges = (0, *bounds)
    place = sum(value >= edge for edge in bounds)
    return f"{edges[place]}+" if place == len(bounds) else f"{edges[place]}-{edges[place + 1] - 1}"


def measure(image: np.ndarray, detection: Detection) -> dict[str, float]:
    """Return size, sharpness, light and tilt of a face, each at least 0, in the units of BOUNDS.

    Args:
        image: uint8 (height, width, 1 or 3).
        detection: the face in it; its box may reach beyond the image.
    """
    x, y, width, height = detection.box
    gray = image[..., 0] if image.shape[2] == 1 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    face = gray[max(y, 0) : y + height, max(x, 0) : x + width]
    side = (SHARPNESS_SIDE, SHARPNESS_SIDE)
    resized = cv2.resize(face, side, interpolation=cv2.INTER_AREA if width > SHARPNESS_SIDE else cv2.INTER_CUBIC)
    return {
        "size": float(width),
        "sharpness": float(cv2.Laplacian(resized, cv2.CV_64F).var()),
        "light": float(face.mean()),
        "tilt": abs(math.degrees(detection.tilt)),
    }


def find_strata(image: np.ndarray, detection: Detection | None) -> dict[str, str]:
    """Return the stratum of a face by column; empty texts where no face was found."""
    if detection is None:
        return dict.fromkeys(BOUNDS, "")
    return {name: name_stratum(value, BOUNDS[name]) for name, value in measure(image, detection).items()}


def score_strata(
    predictor: Predictor,
    faces: Sequence[LabeledFace],
    strata: Mapping[str, Sequence[str]],
    found: Sequence[Detection | None],
) -> dict[str, Any]:
    """Return what the result file holds: the figures over all photographs, and by column and stratum.

    Args:
        predictor: with the model.
        faces: the photographs.
        strata: the stratum of each photograph by column.
        found: the face in each photograph, None where there is none.
    """
    crops = [predictor.crop(face.image, one or whole_image(face.image)) for face, one in zip(faces, found, strict=True)]
    metadata, params = predictor.metadata, load_params("evaluate", path=ROOT / "params.yaml").evaluate
    y_true = np.array([predictor.emotions.index(face.emotion) for face in faces])
    predictions = SplitPredictions(y_true, predictor.probabilities(np.stack(crops)), metadata.threshold)
    overall = score_split(predictions, temperature=metadata.temperature, params=params)
    columns = group_figures(strata, predictions, predictor.emotions, temperature=metadata.temperature, params=params)
    return {"photographs": len(faces), "bounds": BOUNDS, "all": overall, "groups": columns}


def write_manifest(folder: Path, faces: Sequence[LabeledFace], strata: Mapping[str, Sequence[str]]) -> None:
    """Write the photographs as PNG files into `folder`, and labels.csv with their emotions and strata."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "emotion", "split", *strata])
        for number, (face, *values) in enumerate(zip(faces, *strata.values(), strict=True)):
            name = f"{number:04}.png"
            cv2.imwrite(str(folder / name), face.image if face.image.shape[2] == 1 else face.image[..., ::-1])
            writer.writerow([name, face.emotion, "test", *values])


def print_result(result: Mapping[str, Any]) -> None:
    """Print the result, a line a stratum, and the largest gap by column."""
    print(f"all {result['photographs']}: {figure_text(result['all'], 'accuracy')}")
    for column, figures in result["groups"].items():
        for value, scores in figures["values"].items():
            text = figure_text(scores, "balanced_accuracy") if "accuracy" in scores else "not scored"
            print(f"{column} {value.replace(EMPTY, 'no face')}: {scores['images']} photographs, balanced {text}")
        if figures["largest_gap"]:
            print(f"{column}: {gap_text(figures['largest_gap'])}")


def main() -> None:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces-wild", type=Path, required=True, help="a folder or tar file, one folder an emotion")
    parser.add_argument("--model", type=Path, default=MODEL, help="%(default)s")
    parser.add_argument("--folder", type=Path, help="a new folder for the photographs and their manifest")
    parser.add_argument("--out", type=Path, default=FACE_RESULTS, help="%(default)s")
    arguments = parser.parse_args()
    faces = [face for face in read_labeled_faces(arguments.faces_wild) if face.emotion in BALANCED]
    predictor = Predictor(arguments.model, detector="yunet")
    found = [next(iter(predictor.detect(face.image)), None) for face in tqdm(faces, unit=" photographs", disable=None)]
    rows = [find_strata(face.image, one) for face, one in zip(faces, found, strict=True)]
    strata = {name: [row[name] for row in rows] for name in BOUNDS}
    if arguments.folder:
        write_manifest(arguments.folder, faces, strata)
    result = {"model": arguments.model.parent.name} | score_strata(predictor, faces, strata, found)
    write_section("strata", result, arguments.out)
    print_result(result)


if __name__ == "__main__":
    run_command(main)
