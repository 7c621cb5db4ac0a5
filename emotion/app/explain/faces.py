"""`emotion explain`: what in the faces of an image speaks for an emotion."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emotion.core.errors import InputError
from emotion.core.labels import parse_emotion
from emotion.data.images import ImageError, read_image
from emotion.explanation.sheet import ExplainedFace
from emotion.inference.predictor import Predictor, find_standard

SUFFIX = ".keras"
MOST_FACES = 12
"""The largest ones; more make a plot that nobody can look at."""


def find_model(named: Path | None) -> Path:
    """Return the model file to explain with: the one that was named, or the released one.

    Raises:
        InputError: the one that was named is of another kind, which has no gradients; or the released one is missing.
    """
    if named is None:
        return find_standard([f"model{SUFFIX}"])
    if named.suffix.lower() != SUFFIX:
        beside = named.with_name(f"model{SUFFIX}")
        instead = beside if beside.is_file() else Path("models/model.keras")
        raise InputError(
            f"{named}: explaining takes the gradients of the network, which only a {SUFFIX} file has; name that of the "
            f"same training, such as --model {instead}"
        )
    return named


def read_whole(path: Path, target: Path) -> np.ndarray:
    """Return the image at `path`, as `read_image` does.

    Raises:
        InputError: it cannot be read, or the plot would be written over it.
    """
    if target.exists() and path.exists() and target.samefile(path):
        raise InputError(f"--out {target} is the image itself; give the plot another name")
    try:
        return read_image(path)
    except ImageError as error:
        raise InputError(f"{path}: {error}") from None


def explain_faces(
    image: np.ndarray, predictor: Predictor, *, emotion: str | None = None, most: int = 1
) -> list[ExplainedFace]:
    """Return the largest faces in `image`, with the heat for the emotion that each was taken for.

    Args:
        image: uint8 (height, width, 1 or 3), gray or RGB.
        predictor: made from a .keras file.
        emotion: another one to explain besides.
        most: how many faces at most.

    Raises:
        InputError: there is no face, the model does not know `emotion`, or it cannot be explained.
    """
    other = None if emotion is None else find_emotion(emotion, predictor.emotions)
    found = predictor.detect(image)[:most]
    if not found:
        raise InputError(
            "no face was found; --detector whole takes the image as one face, --smallest looks for smaller ones"
        )
    crops = np.stack([predictor.crop(image, face) for face in found])
    faces = predictor.make_faces(found, predictor.probabilities(crops))
    shown = [list(dict.fromkeys([face.emotion] + ([other] if other else []))) for face in faces]
    heat = iter(_heat(predictor, crops, shown))
    return [
        ExplainedFace(face.box, crop, face.probabilities, face.emotion, {name: next(heat) for name in names})
        for face, crop, names in zip(faces, crops, shown, strict=True)
    ]


def _heat(predictor: Predictor, crops: np.ndarray, shown: Sequence[Sequence[str]]) -> np.ndarray:
    """Return the heat of each crop for each of its emotions, one after the other: (maps, size, size)."""
    # Keras, which the predictor has loaded by now.
    from emotion.explanation.grad_cam import explain
    from emotion.model_files.keras_file import load_model

    rows = [row for row, names in enumerate(shown) for _ in names]
    labels = [predictor.emotions.index(name) for names in shown for name in names]
    network, _ = load_model(predictor.path)
    return explain(network, crops[rows], np.array(labels), flip=predictor.metadata.flip)


def find_emotion(text: str, emotions: Sequence[str]) -> str:
    """Return the one of `emotions` that `text` means: its name in upper or lower case, or a synonym.

    Raises:
        InputError: the model does not tell it.
    """
    by_name = {name.casefold(): name for name in emotions}
    name = text.strip().casefold()
    if name not in by_name:
        try:
            name = parse_emotion(text)
        except InputError:
            name = ""
    if name not in by_name:
        raise InputError(f"--emotion: got {text!r}, expected one that the model tells apart: {', '.join(emotions)}")
    return by_name[name]


def describe(faces: Sequence[ExplainedFace], emotions: Sequence[str]) -> list[str]:
    """Return a line for each face: where it is, what it was taken for and how confidently."""
    return [_describe(face, emotions) for face in faces]


def _describe(face: ExplainedFace, emotions: Sequence[str]) -> str:
    x, y, width, height = face.box
    said = ", ".join(f"{name} {face.probabilities[emotions.index(name)]:.0%}".replace("%", " %") for name in face.heat)
    return f"face at {x}, {y} of {width}x{height} pixels: {said}"
