"""The answers of the API as data classes, and how they are made from faces and models."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from emotion.app.serve.uploads import Limits
from emotion.core.files import read_json, rounded
from emotion.core.metadata import AUTO, WHOLE
from emotion.core.paths import EVALUATION_METRICS
from emotion.data.image_errors import MAX_PIXELS
from emotion.inference.annotation import emotion_color
from emotion.inference.predictor import Face, Predictor
from emotion.inference.tracking import TrackedFace


@dataclass(frozen=True)
class BoxAnswer:
    """The box of a face, in pixels of the image after the rotation that the file notes."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class FaceAnswer:
    """A face, its emotion, the confidence in that, and the probability of each emotion by name."""

    box: BoxAnswer
    emotion: str
    confidence: float
    probabilities: dict[str, float]


@dataclass(frozen=True)
class ImageAnswer:
    """The size of an image in pixels and the faces in it, the largest first; an empty list for no faces."""

    width: int
    height: int
    faces: list[FaceAnswer]


@dataclass(frozen=True)
class TrackedFaceAnswer(FaceAnswer):
    """A face in a frame of a camera.

    Its number stays as long as the face does, from 1 in each session. `detected` is false where no detector ran on this
    frame or it missed the face: its box then follows the motion of the image.
    """

    number: int
    detected: bool


@dataclass(frozen=True)
class FrameAnswer:
    """The size of a frame in pixels and the faces in it, by number; an empty list for no faces."""

    width: int
    height: int
    faces: list[TrackedFaceAnswer]


@dataclass(frozen=True)
class EmotionAnswer:
    """The name of an emotion, and its color as #rrggbb."""

    name: str
    color: str


@dataclass(frozen=True)
class FiguresAnswer:
    """The scores of the model on the images of its test split."""

    images: int
    accuracy: float
    macro_f1: float


@dataclass(frozen=True)
class LimitsAnswer:
    """The limits of the server.

    Attributes:
        upload_bytes: size of one image's file.
        pixels: pixels of one image.
        at_a_time: images that are on their way or waiting.
        a_second: images from one address in a second.
        sessions: cameras that are tracked at the same time.
        session_seconds: time without a frame after which a camera's session ends.
    """

    upload_bytes: int
    pixels: int
    at_a_time: int
    a_second: float
    sessions: int
    session_seconds: float


@dataclass(frozen=True)
class ModelAnswer:
    """The model: its name, its emotions in their order, its input, how faces are detected, and its test scores."""

    name: str
    emotions: list[EmotionAnswer]
    size: int
    color: str
    detector: str
    detector_in_use: str | None
    smallest: int
    figures: FiguresAnswer | None
    limits: LimitsAnswer


@dataclass(frozen=True)
class ErrorAnswer:
    """The reason of a refusal, and the remedy."""

    detail: str


def describe_face(face: Face, emotions: tuple[str, ...]) -> FaceAnswer:
    """Return a face as the API answers it: in the same words and decimals as `emotion predict --json`."""
    probabilities = dict(zip(emotions, rounded(list(face.probabilities)), strict=True))
    return FaceAnswer(BoxAnswer(*face.box), face.emotion, rounded(face.confidence), probabilities)


def describe_tracked_face(tracked: TrackedFace, emotions: tuple[str, ...]) -> TrackedFaceAnswer:
    """Return a face of a camera's frame as the API answers it."""
    face = describe_face(tracked.face, emotions)
    return TrackedFaceAnswer(**vars(face), number=tracked.number, detected=tracked.detected)


def describe_model(predictor: Predictor, detector: str, smallest: int | None, limits: Limits) -> ModelAnswer:
    """Return the model as the API answers it."""
    metadata = predictor.metadata
    return ModelAnswer(
        name="/".join(predictor.path.resolve().parts[-2:]),
        emotions=[
            EmotionAnswer(name, "#{:02x}{:02x}{:02x}".format(*emotion_color(name))) for name in metadata.emotions
        ],
        size=metadata.size,
        color=metadata.color,
        detector=detector,
        detector_in_use={AUTO: metadata.detector, WHOLE: None}.get(detector, detector),
        smallest=metadata.smallest if smallest is None else smallest,
        figures=find_figures(predictor.path),
        limits=LimitsAnswer(
            limits.upload_bytes,
            MAX_PIXELS,
            limits.at_a_time,
            limits.a_second,
            limits.sessions,
            limits.session_seconds,
        ),
    )


def find_figures(model: Path) -> FiguresAnswer | None:
    """Return what a released model scored, from the evaluate.json beside it; None where that cannot be read."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        test = read_json(model.parent / EVALUATION_METRICS.name)["test"]
        return FiguresAnswer(int(test["images"]), float(test["accuracy"]), float(test["macro_f1"]))
    return None
