"""The networks of the package mtcnn, with a first stage that bounds memory and works with every smallest face.

The first stage of mtcnn 1.0.0 compares all candidate places with each other at once. That takes tens of gigabytes for
an image of a crowd. It also finds no face where `min_face_size` is above about 25 pixels, since it then makes images
that are too small for its network.

Importing this module loads TensorFlow. Import `emotion.model_files.keras_setup` first, which keeps TensorFlow quiet.
"""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import numpy as np
import tensorflow as tf
from mtcnn import MTCNN
from mtcnn.stages import StageONet, StagePNet, StageRNet
from mtcnn.utils.bboxes import generate_bounding_box, resize_to_square, upscale_bboxes
from mtcnn.utils.images import scale_images

INPUT_SIDE = 12
"""Side in pixels of the first network's input."""

STEP = 0.709
"""The factor between two scales of the image: each has half of the pixels of the one before."""

LEAST_SCORE = 0.6
"""The lowest probability of a face with which a place goes to the second stage."""

IOU_AT_ONE_SCALE, IOU = 0.5, 0.7
"""Of two places with an intersection over union above this, the less probable one is dropped."""

MOST_PLACES = 1000
"""The number of places that go to the second stage, the most probable first. It bounds memory."""


def load_networks() -> MTCNN:
    """Return the three stages, with the weights that the package brings."""
    # By their full paths: by a bare name, mtcnn would first unpickle a file of that name in the working folder.
    weights = files("mtcnn") / "assets/weights"
    stages = {"pnet.lz4": FirstStage, "rnet.lz4": StageRNet, "onet.lz4": StageONet}
    return MTCNN(stages=[stage(weights=str(weights / name)) for name, stage in stages.items()])


class FirstStage(StagePNet):
    """First stage of MTCNN: finds places where a face may be, at all sizes."""

    def __call__(self, images_normalized: np.ndarray, *, min_face_size: float, **_: Any) -> np.ndarray:
        """Return the places in an image, float (n, 6): its number 0; left, top, right and bottom; and the score.

        Args:
            images_normalized: (1, height, width, 3), one image with values from -1 to 1.
            min_face_size: the smallest face to search for, in pixels. Values below INPUT_SIDE count as INPUT_SIDE.
        """
        scales = _scales(min(images_normalized.shape[1:3]), min_face_size)
        places = [self._places(images_normalized, scale) for scale in scales]
        squares: np.ndarray = resize_to_square(_suppress(np.concatenate([np.empty((0, 6)), *places]), IOU))
        return squares

    def _places(self, images_normalized: np.ndarray, scale: float) -> np.ndarray:
        corrections, scores = self.model(scale_images(images_normalized, scale))
        places = generate_bounding_box(corrections, scores, LEAST_SCORE)
        return _suppress(upscale_bboxes(places, np.array([scale])), IOU_AT_ONE_SCALE)


def _scales(side: int, smallest: float) -> Iterator[float]:
    """Yield the scales at which to search an image whose shorter side has `side` pixels."""
    scale = min(1.0, INPUT_SIDE / smallest)
    while side * scale >= INPUT_SIDE:
        yield scale
        scale *= STEP


def _suppress(places: np.ndarray, iou: float) -> np.ndarray:
    """Return the places (n, 6) that non-maximum suppression keeps, the most probable first."""
    kept = tf.image.non_max_suppression(
        places[:, [2, 1, 4, 3]].astype(np.float32), places[:, 5].astype(np.float32), MOST_PLACES, iou_threshold=iou
    )
    chosen: np.ndarray = places[kept.numpy()]
    return chosen
