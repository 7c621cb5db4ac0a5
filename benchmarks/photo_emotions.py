"""The whole path from photo to emotion, on labeled photographs of faces.

    python -m benchmarks.photo_emotions --faces-wild ../shared/data/faces_wild.tar

`emotion.Predictor` reads each photograph, and its largest face is the answer. Labels are noisy, so the figures compare
detectors and models; benchmarks/labeled_faces.py describes the photographs and the balanced accuracy. A photograph
without a found face has no answer, which counts as wrong where accuracy is `of_all`. `cascade` was the detector of
earlier versions, and `whole` takes each photograph as one face. `auto` is the default of `emotion predict`: images of
at most 128 pixels are one face, and others are searched by `yunet`, quick.

results/faces.json gets the figures. It takes about two minutes.
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.face_results import FACE_RESULTS, write_section
from benchmarks.labeled_faces import BALANCED, LabeledFace, count_by_emotion, measure_balanced, read_labeled_faces
from benchmarks.true_faces import share
from emotion.core.errors import run_command
from emotion.inference.predictor import Predictor

ROOT = Path(__file__).resolve().parent.parent

MODELS = ("photo", "photo-nano")
MODEL_FILE = "model_int8.tflite"

WAYS: dict[str, dict[str, Any]] = {
    "cascade": {"detector": "cascade"},
    "yunet quick": {"detector": "yunet"},
    "yunet thorough": {"detector": "yunet", "thorough": True},
    "whole": {"detector": "whole"},
    "auto": {},
}
"""The arguments of the Predictor by the name of the row."""

BATCH = 32
"""Photographs a call."""


def find_emotions(predictor: Predictor, faces: Sequence[LabeledFace]) -> tuple[list[str | None], int]:
    """Return the emotion of the largest face of each photograph, None where none was found; and the number of faces."""
    found = [
        those
        for start in range(0, len(faces), BATCH)
        for those in predictor.predict_many([face.image for face in faces[start : start + BATCH]])
    ]
    return [those[0].emotion if those else None for those in found], sum(map(len, found))


def score(true: Sequence[str], predicted: Sequence[str | None], found: int) -> dict[str, Any]:
    """Return what the result file holds of one model and one way.

    Args:
        true: the emotion of each photograph.
        predicted: the answer for each, or None.
        found: the number of faces that were found.
    """
    by_emotion = count_by_emotion(true, predicted)
    answered, right = (sum(row[name] for row in by_emotion.values()) for name in ("answered", "right"))
    pairs = [(one, other) for one, other in zip(true, predicted, strict=True) if other is not None]
    of_answered = measure_balanced([one for one, _ in pairs], [other for _, other in pairs]) if pairs else None
    return {
        "faces_found": found,
        "answered": answered,
        "accuracy": {"of_answered": share(right, answered), "of_all": share(right, len(true))},
        "balanced_accuracy": {"of_answered": of_answered, "of_all": measure_balanced(true, predicted)},
        "by_emotion": by_emotion,
    }


def measure(path: Path, models: Iterable[str], ways: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the result file holds.

    Raises:
        InputError: the photographs or a model cannot be used.
    """
    faces = read_labeled_faces(path)
    true = [face.emotion for face in faces]
    result: dict[str, Any] = {"photographs": len(faces), "balanced_over": list(BALANCED), "models": {}}
    pairs = [(model, way) for model in models for way in ways]
    for model, way in tqdm(pairs, desc="models and detectors", disable=None):
        predictor = Predictor(ROOT / "models/released" / model / MODEL_FILE, **ways[way])
        result["models"].setdefault(model, {})[way] = score(true, *find_emotions(predictor, faces))
    return result


def print_result(result: dict[str, Any]) -> None:
    """Print the result, a line a model and detector."""
    count = result["photographs"]
    for model, ways in result["models"].items():
        for way, figures in ways.items():
            balanced = figures["balanced_accuracy"]["of_all"]
            print(
                f"{model}, {way}: {figures['faces_found']} faces, {figures['answered']} of {count} answered, "
                f"{_percent(figures['accuracy']['of_answered'])} of them right, "
                f"{_percent(figures['accuracy']['of_all'])} of all; balanced {_percent(balanced['mean'])} "
                f"(standard error {_percent(balanced['standard_error'])})"
            )


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.1%}"


def main() -> None:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces-wild", type=Path, required=True, help="a folder or tar file, one folder an emotion")
    parser.add_argument("--out", type=Path, default=FACE_RESULTS, help="%(default)s")
    arguments = parser.parse_args()
    result = measure(arguments.faces_wild, MODELS, WAYS)
    write_section("photo_emotions", result, arguments.out)
    print_result(result)


if __name__ == "__main__":
    run_command(main)
