"""The faces in an image, with heatmaps of the parts that speak for an emotion."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emotion.core.emotion_names import parse_emotion
from emotion.core.errors import InputError
from emotion.data.images import ImageError, read_image
from emotion.explanation.sheet import ExplainedFace
from emotion.inference.predictor import Predictor, find_standard
from emotion.presentation.formats import percent

SUFFIX = ".keras"
MOST_FACES = 12
"""The largest number of faces in a plot. More would be too small to read."""


def find_keras_model(named: Path | None) -> Path:
    """Return the model file that was named, or the released one.

    Raises:
        InputError: the file that was named is not a .keras file, so it has no gradients; or there is no released one.
            A clone has it, and an installed package does not.
    """
    if named is None:
        return find_standard(f"model{SUFFIX}")
    if named.suffix.lower() != SUFFIX:
        beside = named.with_name(f"model{SUFFIX}")
        instead = beside if beside.is_file() else Path("models/model.keras")
        raise InputError(
            f"--model: got {named}, expected a {SUFFIX} file, since other formats have no gradients; name the {SUFFIX} "
            f"file of this model, such as {instead}"
        )
    return named


def read_image_to_explain(path: Path) -> np.ndarray:
    """Return the image at `path`, as `read_image` does; raise InputError with its name where it cannot be read."""
    try:
        return read_image(path)
    except ImageError as error:
        raise InputError(f"{path}: {error}") from None


def explain_faces(
    image: np.ndarray, predictor: Predictor, *, emotion: str | None = None, most: int = 1
) -> list[ExplainedFace]:
    """Return the largest faces in `image`, each with the heatmap of its predicted emotion.

    Args:
        image: uint8 (height, width, 1 or 3), gray or RGB.
        predictor: made from a .keras file.
        emotion: another emotion to explain.
        most: the largest number of faces.

    Raises:
        InputError: there is no face, the model does not know `emotion`, or it cannot be explained.
    """
    other = None if emotion is None else resolve_emotion(emotion, predictor.emotions)
    detections = predictor.detect(image)[:most]
    if not detections:
        raise InputError(
            "no face was found; lower --smallest to find smaller ones, or add --detector whole if the image is one face"
        )
    crops = np.stack([predictor.crop(image, detection) for detection in detections])
    faces = predictor.make_faces(detections, predictor.probabilities(crops))
    explained = [list(dict.fromkeys([face.emotion] + ([other] if other else []))) for face in faces]
    heatmaps = iter(_heatmaps(predictor, crops, explained))
    return [
        ExplainedFace(face.box, crop, face.probabilities, face.emotion, {name: next(heatmaps) for name in names})
        for face, crop, names in zip(faces, crops, explained, strict=True)
    ]


def _heatmaps(predictor: Predictor, crops: np.ndarray, explained: Sequence[Sequence[str]]) -> np.ndarray:
    """Return the heatmap of each crop for each of its emotions, one after the other: (maps, size, size)."""
    # These load Keras, which the predictor has loaded already.
    from emotion.explanation.grad_cam import explain
    from emotion.model_files.keras_file import load_model

    rows = [row for row, names in enumerate(explained) for _ in names]
    labels = [predictor.emotions.index(name) for names in explained for name in names]
    network, _ = load_model(predictor.path)
    return explain(network, crops[rows], np.array(labels), flip=predictor.metadata.flip)


def resolve_emotion(text: str, emotions: Sequence[str]) -> str:
    """Return the one of `emotions` that `text` names, in upper or lower case, or by a synonym.

    Raises:
        InputError: the model has no such emotion.
    """
    by_name = {name.casefold(): name for name in emotions}
    name = text.strip().casefold()
    if name not in by_name:
        try:
            name = parse_emotion(text)
        except InputError:
            name = ""
    if name not in by_name:
        raise InputError(f"--emotion: got {text!r}, expected one of the model's: {', '.join(emotions)}")
    return by_name[name]


def describe_faces(faces: Sequence[ExplainedFace], emotions: Sequence[str]) -> list[str]:
    """Return one line per face: where it is, and the probabilities of the emotions that are explained."""
    return [_describe_face(face, emotions) for face in faces]


def _describe_face(face: ExplainedFace, emotions: Sequence[str]) -> str:
    x, y, width, height = face.box
    shares = {name: face.probabilities[emotions.index(name)] for name in face.heat}
    text = ", ".join(f"{name} {percent(share, 0)}" for name, share in shares.items())
    return f"face at {x}, {y} of {width}x{height} pixels: {text}"
