"""The predictor: an image goes in, the faces in it and their emotions come out.

    from emotion.data.images import read_image
    from emotion.inference.predictor import Predictor

    predictor = Predictor("models/model.keras")
    for face in predictor.predict(read_image(Path("photo.jpg"))):
        print(face.box, face.emotion, f"{face.confidence:.0%}")

The command line, video, webcam and web page are loops around it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion.core.errors import InputError
from emotion.core.metadata import AUTO, DETECTOR_CHOICES, MARGINS, WHOLE, ModelMetadata
from emotion.data.images import ImageError, to_input
from emotion.evaluation.metrics import apply_temperature, predicted_labels
from emotion.faces.detection import Box, Detection, align_crop, make_detector
from emotion.model_files.probabilities import predict_probabilities
from emotion.runtimes.engines import load_engine

LARGEST_CROP = 128
"""Under AUTO, images with no side of more pixels are taken as faces that are cropped already.

Data sets of cropped faces have 48 (FER2013, CK+48) to 112 pixels. Looking for a face in those would lose many: one that
fills its image leaves detectors no border to see it against. Crops of more pixels ask for WHOLE, since there is no
telling them from photos."""

SMALLEST_CROP = 16
"""Under AUTO, images with a side of fewer pixels hold no face that anybody could read."""

BATCH_SIZE = 32

STANDARD = "fer2013"
"""The release that predicts unless another model is named."""

STANDARD_FILES = ("model.tflite", "model_int8.tflite", "model.keras")
"""Of the release, the first that is there: a TFLite file starts several times as fast."""


@dataclass(frozen=True)
class Face:
    """A face and what it shows.

    Attributes:
        box: where it is, in pixels of the image.
        probabilities: float64 (classes,), calibrated, in the order of the model's emotions; they sum to 1.
        emotion: the name of what it shows.
        confidence: the probability of that emotion, 0 to 1.
    """

    box: Box
    probabilities: np.ndarray
    emotion: str
    confidence: float


class Predictor:
    """Finds faces in images and reads their emotions with one model file.

    Args:
        model: a .keras, .tflite or .onnx file of this project; the released standard model unless told.
        detector: `cascade` or `mtcnn` look for faces, `whole` takes each image as one face, `auto` does that with
            images of at most LARGEST_CROP pixels a side and looks in others with the model's own detector. It finds
            nothing in images with a side below SMALLEST_CROP.
        margin: what is added around a face on each side, as a share of its box, -0.4 to 2; the model's own unless
            told. At 0 a face is framed as FER2013 frames faces, whichever detector found it.
        smallest: the smallest face to look for, in pixels of its box's side, at least 1; the model's own unless told.
        threads: how many may compute; one a core unless told.

    Raises:
        InputError: the model file or another argument cannot be used, or what runs the model or finds faces is not
            installed.
    """

    def __init__(
        self,
        model: Path | str | None = None,
        *,
        detector: str = AUTO,
        margin: float | None = None,
        smallest: int | None = None,
        threads: int | None = None,
    ) -> None:
        if detector not in DETECTOR_CHOICES:
            raise InputError(f"detector: got {detector!r}, expected one of {', '.join(DETECTOR_CHOICES)}")
        self.path = find_standard() if model is None else Path(model)
        self._engine = load_engine(self.path, threads=threads)
        self._choice = detector
        self._margin = self.metadata.margin if margin is None else _check_margin(margin)
        name = self.metadata.detector if detector in (AUTO, WHOLE) else detector
        smallest = self.metadata.smallest if smallest is None else smallest
        self._detector = None if detector == WHOLE else make_detector(name, smallest)

    @property
    def metadata(self) -> ModelMetadata:
        """What the model takes and gives."""
        return self._engine.metadata

    @property
    def emotions(self) -> tuple[str, ...]:
        """The names of the emotions, in the order of the probabilities."""
        return self.metadata.emotions

    def detect(self, image: np.ndarray) -> list[Detection]:
        """Return the faces in `image`, uint8 (height, width, 1 or 3), the largest first.

        Several threads may call it at once.

        Raises:
            ImageError: `image` is no such array.
        """
        _check_image(image)
        height, width = image.shape[:2]
        whole = Detection(Box(0, 0, width, height))
        if self._detector is None:
            return [whole]
        if self._choice == AUTO and max(height, width) <= LARGEST_CROP:
            return [whole] if min(height, width) >= SMALLEST_CROP else []
        return self._detector.detect(image)

    def crop(self, image: np.ndarray, found: Detection) -> np.ndarray:
        """Return a face as the model takes it, uint8 (size, size, channels); a whole image gets no margin."""
        whole = found.box == (0, 0, image.shape[1], image.shape[0]) and found.eyes is None
        if whole:
            return to_input(image, self.metadata.size, self.metadata.color)
        return align_crop(image, found, self._margin, self.metadata.size, self.metadata.color)

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        """Return what the model says of crops, as it was scored: before the temperature, mirrored if it says so.

        Args:
            crops: uint8 (n, size, size, channels), as `crop` makes them.

        Returns:
            float64 (n, classes); each row sums to 1. Nothing for no crops.
        """
        if not len(crops):
            return np.empty((0, len(self.emotions)))
        return predict_probabilities(self._engine, crops, flip=self.metadata.flip, batch_size=BATCH_SIZE)

    def predict(self, image: np.ndarray) -> list[Face]:
        """Return the faces in `image`, uint8 (height, width, 1 or 3), and what they show; the largest first."""
        return self.predict_many([image])[0]

    def predict_many(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Return the faces in each of `images`; the model sees those of all images together."""
        found = [self.detect(image) for image in images]
        return self.classify(images, found)

    def classify(self, images: Sequence[np.ndarray], found: Sequence[Sequence[Detection]]) -> list[list[Face]]:
        """Return what the faces `found` in each of `images` show."""
        crops = [self.crop(image, face) for image, faces in zip(images, found, strict=True) for face in faces]
        said = self.probabilities(np.stack(crops) if crops else np.empty(0))
        judged = iter(self.make_faces([face for faces in found for face in faces], said))
        return [[next(judged) for _ in faces] for faces in found]

    def make_faces(self, found: Sequence[Detection], probabilities: np.ndarray) -> list[Face]:
        """Return faces from where they are and what `probabilities`, (n, classes), returned for their crops."""
        labels = predicted_labels(probabilities, self.metadata.threshold)
        calibrated = apply_temperature(probabilities, self.metadata.temperature)
        return [
            Face(face.box, row, self.emotions[label], float(row[label]))
            for face, row, label in zip(found, calibrated, labels, strict=True)
        ]


def _check_margin(margin: float) -> float:
    low, high = MARGINS
    if not low <= margin <= high:
        raise InputError(f"margin: got {margin}, expected a share of the face's box from {low} to {high}")
    return margin


def _check_image(image: np.ndarray) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3) or image.size == 0:
        raise ImageError(
            f"got an image of {image.dtype} and shape {image.shape}, expected uint8 (height, width, 1 or 3), as "
            "emotion.data.images reads it"
        )


def find_standard(names: Sequence[str] = STANDARD_FILES) -> Path:
    """Return the released standard model, of the project in the working folder or of this installation.

    Args:
        names: those of its files that will do, the best first.

    Raises:
        InputError: it is in neither.
    """
    folders = [root / "models/released" / STANDARD for root in (Path(), Path(__file__).resolve().parents[2])]
    for folder in folders:
        for name in names:
            if (folder / name).is_file():
                return folder / name
    raise InputError(
        f"no model was named, and the released one is not in {folders[0]}; fetch it with `dvc pull {folders[0]}/*.dvc` "
        "in a clone of the project, or name a model file with --model"
    )
