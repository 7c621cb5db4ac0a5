"""The detector `mtcnn`. It is slower than the cascade, detects more faces, and gives their eyes.

It runs on TensorFlow, which is loaded when a detector is made, not on import.
"""

import threading
from typing import TYPE_CHECKING

import numpy as np

from emotion.core.errors import InputError
from emotion.core.quiet import quiet
from emotion.faces.detection import Detection, RawDetection
from emotion.faces.framing import MTCNN_SCALE, frame_all
from emotion.faces.overlap import drop_duplicates
from emotion.faces.working_copy import shrink_to_search

if TYPE_CHECKING:  # at run time it would load TensorFlow
    from mtcnn import MTCNN

MTCNN_SCORE = 0.9
"""The lowest probability, by MTCNN, at which a detection counts as a face."""


class MTCNNDetector:
    """MTCNN: three networks in a row, from coarse to fine (Zhang et al. 2016).

    Args:
        smallest: the smallest face to detect, in pixels of its box's side.

    Raises:
        InputError: a package that it needs is missing, or Keras is set to another backend than TensorFlow.
    """

    def __init__(self, smallest: int) -> None:
        self._smallest = smallest / MTCNN_SCALE
        self._networks = _load_mtcnn()
        self._lock = threading.Lock()

    def detect(self, image: np.ndarray) -> list[Detection]:
        """Return the faces in `image`, uint8 (height, width, 1 or 3), the largest first."""
        return frame_all(self.detect_raw(image), MTCNN_SCALE)

    def detect_raw(self, image: np.ndarray) -> list[RawDetection]:
        """Return the faces in MTCNN's own framing, each once. The certainty is the probability of a face."""
        small, scale = shrink_to_search(image)
        rgb = np.repeat(small, 3, axis=2) if small.shape[2] == 1 else small
        with self._lock:  # one image keeps all cores busy; two would take twice the memory
            rows = self._networks.detect_faces(
                rgb,
                min_face_size=self._smallest * scale,
                box_format="xyxy",
                output_type="numpy",
                fit_to_image=False,
            )
        raw_detections = (_to_raw_detection(row, scale) for row in rows if row[5] >= MTCNN_SCORE)
        return drop_duplicates(raw for raw in raw_detections if raw.side >= self._smallest)


def _to_raw_detection(row: np.ndarray, scale: float) -> RawDetection:
    """Return the detection in a row of mtcnn's result, in pixels of the whole image.

    Args:
        row: image number, left, top, right, bottom, score, x of five landmarks, y of five landmarks.
        scale: of the searched copy relative to the image.
    """
    left, top, right, bottom = (row[1:5] / scale).tolist()
    (x1, x2), (y1, y2) = (row[6:8] / scale).tolist(), (row[11:13] / scale).tolist()
    first, second = sorted([(x1, y1), (x2, y2)])
    return RawDetection(left, top, right - left, bottom - top, float(row[5]), (first, second))


def _load_mtcnn() -> "MTCNN":
    try:
        from emotion.model_files import keras_setup  # imported first, since it keeps TensorFlow quiet

        if keras_setup.backend() != "tensorflow":
            raise InputError(
                f"KERAS_BACKEND: got {keras_setup.backend()}, expected tensorflow for the detector mtcnn; unset "
                "KERAS_BACKEND, or choose the detector cascade"
            )
        with quiet():
            from emotion.faces.mtcnn_networks import load_networks

            return load_networks()
    except ImportError as error:
        raise InputError(
            f"the detector mtcnn cannot run here ({error}); install its packages with "
            "`pip install mtcnn tensorflow keras`, or choose the detector cascade"
        ) from None
