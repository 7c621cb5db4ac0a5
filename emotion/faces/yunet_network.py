"""The network of the detector `yunet`, run by OpenCV.

YuNet is a small network that gives boxes, scores and five landmarks (Wu, Peng and Yu 2023). Its weights are in the
package, so nothing is downloaded.
"""

import threading
from functools import cache
from importlib.resources import files

import cv2
import numpy as np

from emotion.faces.detection import Landmarks, RawDetection

WEIGHTS_FILE = "face_detection_yunet_2023mar.onnx"

MOST_OVERLAP = 0.3
"""Of two boxes with an intersection over union above this, the network's less certain one is dropped."""

MOST_PLACES = 5000
"""The number of places, the most certain first, among which overlapping ones are dropped."""

SIZE_RANGE = (1.0, 4.0)
"""Smallest side of a box in pixels, and largest side as a multiple of the image's. Others come from overflow."""


class YuNetNetwork:
    """Finds faces in an image as it is. Several threads may use it, since each gets its own OpenCV object."""

    def __init__(self) -> None:
        self._threads = threading.local()

    def detect(self, image: np.ndarray, least_score: float) -> list[RawDetection]:
        """Return the faces of an image in YuNet's own framing, from hairline to chin, the most certain first.

        Args:
            image: uint8 (height, width, 1 or 3), gray or RGB. Faces of 20 to 400 pixels are found best.
            least_score: the lowest score of a face, 0 to 1.
        """
        bgr = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR if image.shape[2] == 1 else cv2.COLOR_RGB2BGR)
        height, width = image.shape[:2]
        network = self._network()
        network.setInputSize((width, height))
        network.setScoreThreshold(least_score)
        found = network.detect(bgr)[1]
        rows = np.empty((0, 15)) if found is None else found.astype(np.float64)
        return [_to_raw_detection(row) for row in rows if _is_plausible(row, max(height, width))]

    def _network(self) -> cv2.FaceDetectorYN:
        if not hasattr(self._threads, "network"):
            nothing = np.empty(0, np.uint8)
            self._threads.network = cv2.FaceDetectorYN.create(
                "onnx", _load_weights(), nothing, (32, 32), 0.5, MOST_OVERLAP, MOST_PLACES
            )
        network: cv2.FaceDetectorYN = self._threads.network
        return network


@cache
def _load_weights() -> np.ndarray:
    weights = files("emotion.faces") / "weights" / WEIGHTS_FILE
    return np.frombuffer(weights.read_bytes(), np.uint8)


def _is_plausible(row: np.ndarray, longest: int) -> bool:
    """Return whether a row of the network is a box. Some are infinite or empty, since its sizes are exponentials."""
    sides = row[2:4]
    return bool(np.isfinite(row).all() and sides.min() >= SIZE_RANGE[0] and sides.max() <= SIZE_RANGE[1] * longest)


def _to_raw_detection(row: np.ndarray) -> RawDetection:
    """Return a row of the network as a detection.

    Args:
        row: x, y, width and height; x and y of five landmarks, those at the left of the image first; and the score.
    """
    x, y, width, height = row[:4].tolist()
    left_eye, right_eye, nose, left_mouth, right_mouth = row[4:14].reshape(5, 2).tolist()
    points = Landmarks(*map(tuple, (left_eye, right_eye, nose, left_mouth, right_mouth)))
    return RawDetection(x, y, width, height, float(row[14]), points)
