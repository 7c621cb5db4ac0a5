"""The predictor: it finds the faces in an image and predicts their emotions.

    from pathlib import Path

    from emotion import Predictor, read_image

    predictor = Predictor()
    for face in predictor.predict(read_image(Path("photo.jpg"))):
        print(face.box, face.emotion, f"{face.confidence:.0%}")

The commands for images, videos, the camera and the web page use it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion.core.errors import InputError
from emotion.core.metadata import AUTO, MARGINS, ModelMetadata
from emotion.data.images import ImageError
from emotion.evaluation.metrics import apply_temperature, predicted_labels
from emotion.faces.crop import crop_face
from emotion.faces.detection import Box, Detection
from emotion.faces.detectors import check_choice, choose_detector
from emotion.inference.defaults import SMALL_STANDARD, STANDARD, STANDARD_FILE
from emotion.model_files.probabilities import predict_probabilities
from emotion.runtimes.engines import load_engine

BATCH_SIZE = 32
"""Faces per call of the model."""

PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Face:
    """A face and its emotion.

    Attributes:
        box: where it is, in pixels of the image.
        probabilities: float64 (classes,), calibrated, in the order of the model's emotions; they sum to 1.
        emotion: the name of the predicted emotion.
        confidence: the probability of that emotion, 0 to 1.
    """

    box: Box
    probabilities: np.ndarray
    emotion: str
    confidence: float


class Predictor:
    """Detects faces in images and predicts their emotions with one model file.

    Args:
        model: a .keras, .tflite or .onnx file of this project; by default the released standard model.
        detector: `yunet` or `cascade` search for faces; `whole` takes each image as one face; `auto` takes small images
            as faces and searches others with the model's own detector (see `emotion.faces.whole_image`).
        margin: space to add around a face on each side, as a share of its box, -0.4 to 2; by default the model's own.
            At 0 a face is framed as FER2013 frames faces, whichever detector it comes from.
        smallest: the smallest face to search for, in pixels of its box's side, at least 1; by default the model's own.
        thorough: whether to search small images as they are, which takes longer and finds a few more faces.
        threads: how many threads may compute; by default one per core.

    Raises:
        InputError: the model file or another argument cannot be used, or a package that it needs is not installed.
    """

    def __init__(
        self,
        model: Path | str | None = None,
        *,
        detector: str = AUTO,
        margin: float | None = None,
        smallest: int | None = None,
        thorough: bool = False,
        threads: int | None = None,
    ) -> None:
        check_choice(detector)  # before the model, which may take seconds to load
        self.path = find_standard() if model is None else Path(model)
        self._engine = load_engine(self.path, threads=threads)
        self._margin = self.metadata.margin if margin is None else _check_margin(margin)
        smallest = self.metadata.smallest if smallest is None else smallest
        self._detector = choose_detector(detector, default=self.metadata.detector, smallest=smallest, thorough=thorough)

    @property
    def metadata(self) -> ModelMetadata:
        """The metadata of the model: the images that it takes and the probabilities that it gives."""
        return self._engine.metadata

    @property
    def emotions(self) -> tuple[str, ...]:
        """The names of the emotions, in the order of the probabilities."""
        return self.metadata.emotions

    def detect(self, image: np.ndarray, *, level: bool = True) -> list[Detection]:
        """Return the faces in `image`, uint8 (height, width, 1 or 3), the largest first.

        Several threads may call it at once. Without `level` no tilt is measured, which saves time in a video.

        Raises:
            ImageError: `image` is no such array.
        """
        _check_image(image)
        return self._detector.detect(image, level=level)

    def crop(self, image: np.ndarray, detection: Detection) -> np.ndarray:
        """Return a face as the model takes it, uint8 (size, size, channels); a whole image gets no margin."""
        return crop_face(image, detection, self._margin, self.metadata.size, self.metadata.color)

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        """Return the model's probabilities as the stage `evaluate` scores them, before the temperature.

        Where the metadata has `flip`, they are the mean over each crop and its mirror image.

        Args:
            crops: uint8 (n, size, size, channels), as `crop` makes them.

        Returns:
            float64 (n, classes); each row sums to 1. No rows for no crops.
        """
        if not len(crops):
            return np.empty((0, len(self.emotions)))
        return predict_probabilities(self._engine, crops, flip=self.metadata.flip, batch_size=BATCH_SIZE)

    def predict(self, image: np.ndarray) -> list[Face]:
        """Return the faces in `image`, uint8 (height, width, 1 or 3), with their emotions, the largest first."""
        return self.predict_many([image])[0]

    def predict_many(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Return the faces in each of `images`; the model gets the faces of all images together."""
        return self.classify(images, [self.detect(image) for image in images])

    def classify(self, images: Sequence[np.ndarray], detections: Sequence[Sequence[Detection]]) -> list[list[Face]]:
        """Return the faces of the `detections` in each of `images`, with their emotions."""
        pairs = [(image, one) for image, those in zip(images, detections, strict=True) for one in those]
        crops = [self.crop(image, detection) for image, detection in pairs]
        probabilities = self.probabilities(np.stack(crops) if crops else np.empty(0))
        faces = iter(self.make_faces([detection for _, detection in pairs], probabilities))
        return [[next(faces) for _ in those] for those in detections]

    def make_faces(self, detections: Sequence[Detection], probabilities: np.ndarray) -> list[Face]:
        """Return the faces of `detections`, (n,), from what `probabilities` returned for their crops, (n, classes)."""
        labels = predicted_labels(probabilities, self.metadata.threshold)
        calibrated = apply_temperature(probabilities, self.metadata.temperature)
        return [
            Face(detection.box, row, self.emotions[label], float(row[label]))
            for detection, row, label in zip(detections, calibrated, labels, strict=True)
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
            "`emotion.read_image` returns it"
        )


def find_standard(name: str = STANDARD_FILE) -> Path:
    """Return a file of the release STANDARD, or else of SMALL_STANDARD.

    Args:
        name: the file of the release.

    Raises:
        InputError: no place has it.
    """
    path = find_released(STANDARD, name) or find_released(SMALL_STANDARD, name)
    if path is None:
        raise InputError(
            f"the default model released/{STANDARD}/{name} is in none of {', '.join(map(str, _list_roots()))}; name a "
            "model file with --model, or run the command in a clone of the project"
        )
    return path


def find_released(release: str, name: str) -> Path | None:
    """Return the file `name` of a release; None where no place has it.

    The project in the working folder comes first, then the clone that holds this code, then the installed package.
    """
    paths = (root / "released" / release / name for root in _list_roots())
    return next((path for path in paths if path.is_file()), None)


def list_released() -> list[str]:
    """Return the names of all releases that `find_released` knows, sorted."""
    return sorted({folder.name for root in _list_roots() for folder in (root / "released").glob("[!.]*/")})


def _list_roots() -> tuple[Path, ...]:
    return Path("models"), PACKAGE.parent / "models", PACKAGE
