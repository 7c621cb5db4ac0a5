"""The network of the detector `yunet`, run by ONNX Runtime.

YuNet is a small network that gives boxes, scores and five landmarks (Wu, Peng and Yu 2023). Its weights are in the
package, so nothing is downloaded. `cv2.FaceDetectorYN` runs the same file and gives the same faces. It takes more than
twice the time, and a test compares both.
"""

import os
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import cv2
import numpy as np

from emotion.faces.detection import Landmarks, RawDetection

if TYPE_CHECKING:  # at run time it is loaded with the first detector
    import onnxruntime

WEIGHTS_FILE = "face_detection_yunet_2023mar.onnx"

STRIDES = (8, 16, 32)
"""Pixels from one place to the next in the three grids of places that the network scores."""

OUTPUTS = ("cls", "obj", "bbox", "kps")
"""Outputs for each grid: two scores between 0 and 1 whose geometric mean counts, boxes, and landmarks."""

FIXED_SIDE, ANY_HEIGHT, ANY_WIDTH = b"\n\x03\x08\x80\x05", b"\n\x03\x12\x01h", b"\n\x03\x12\x01w"
"""A side of the input in the file: the number 640, and the names h and w, which allow any number."""

MOST_OVERLAP = 0.3
"""Of two boxes with an intersection over union above this, the less certain one is dropped."""

LARGEST_SIDE = 4.0
"""The largest side of a box as a multiple of the image's. The network gives exponentials, which may overflow."""


def find_faces(image: np.ndarray, least_score: float) -> list[RawDetection]:
    """Return the faces of an image in YuNet's own framing, from hairline to chin, the most certain first.

    The network is loaded with the first image. Several threads may call this at the same time.

    Args:
        image: uint8 (height, width, 1 or 3), gray or RGB. Faces of 20 to 400 pixels are found best.
        least_score: the lowest score of a face, 0 to 1.
    """
    names = [f"{name}_{stride}" for stride in STRIDES for name in OUTPUTS]
    outputs = dict(zip(names, _load_session(os.getpid()).run(names, {"input": _to_input(image)}), strict=True))
    columns = -(-image.shape[1] // STRIDES[-1]) * STRIDES[-1]
    rows = np.concatenate([_decode(outputs, stride, columns // stride, least_score) for stride in STRIDES])
    plausible = np.isfinite(rows).all(axis=1) & (rows[:, 2:4].max(axis=1) <= LARGEST_SIDE * max(image.shape[:2]))
    return [_to_raw_detection(row) for row in _suppress(rows[plausible])]


def load_weights() -> bytes:
    """Return the file of the network as its authors published it."""
    return (files("emotion.faces") / "weights" / WEIGHTS_FILE).read_bytes()


@cache
def _load_session(process: int) -> "onnxruntime.InferenceSession":
    """Return the network for images of any size, which the file itself would not take.

    Each process loads its own. A session of the parent process would hold the state of threads that a fork ends.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # images are searched in parallel, and one thread gives the same bits everywhere
    options.log_severity_level = 4  # it warns of other sizes than those in the file
    weights = load_weights().replace(FIXED_SIDE, ANY_HEIGHT, 1).replace(FIXED_SIDE, ANY_WIDTH, 1)
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])


def _to_input(image: np.ndarray) -> np.ndarray:
    """Return an image as the network takes it: float32 (1, 3, height, width), BGR, with sides that STRIDES divide."""
    bgr = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR if image.shape[2] == 1 else cv2.COLOR_RGB2BGR)
    below, right = (-side % STRIDES[-1] for side in bgr.shape[:2])
    return cv2.dnn.blobFromImage(cv2.copyMakeBorder(bgr, 0, below, 0, right, cv2.BORDER_CONSTANT))


def _decode(outputs: dict[str, np.ndarray], stride: int, columns: int, least_score: float) -> np.ndarray:
    """Return the faces of one grid of places.

    Returns:
        float64 (n, 15): x, y, width and height; x and y of five landmarks, those at the left of the image first; and
        the score.
    """
    cls, obj, boxes, points = (outputs[f"{name}_{stride}"][0] for name in OUTPUTS)
    scores = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
    (chosen,) = np.nonzero(scores >= least_score)
    places = np.column_stack([chosen % columns, chosen // columns]).astype(np.float64)
    with np.errstate(over="ignore"):
        sides = np.exp(boxes[chosen, 2:].astype(np.float64)) * stride
    corners = (places + boxes[chosen, :2]) * stride - sides / 2
    landmarks = (np.tile(places, 5) + points[chosen]) * stride
    return np.column_stack([corners, sides, landmarks, scores[chosen]])


def _suppress(rows: np.ndarray) -> np.ndarray:
    """Return the rows that non-maximum suppression keeps, the most certain first."""
    if not len(rows):
        return rows
    kept = cv2.dnn.NMSBoxes(rows[:, :4].tolist(), rows[:, 14].tolist(), 0.0, MOST_OVERLAP)
    chosen: np.ndarray = rows[np.ravel(kept)]
    return chosen


def _to_raw_detection(row: np.ndarray) -> RawDetection:
    x, y, width, height = row[:4].tolist()
    points = Landmarks(*map(tuple, row[4:14].reshape(5, 2).tolist()))
    return RawDetection(x, y, width, height, float(row[14]), points, seen_side=(width + height) / 2)
