"""The networks of the package mtcnn, with a first stage that neither large nor crowded images overwhelm.

That of mtcnn 1.0.0 compares all places where a face may be with each other at once, which takes tens of gigabytes for a
image of a crowd. And it finds nothing at all where faces below some 25 pixels are not asked for, since it then makes
images too small for its network.

Importing this loads TensorFlow; import `emotion.model_files.keras_setup` first, which keeps it quiet.
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

WINDOW = 12
"""Pixels of what the first network takes for a face."""

STEP = 0.709
"""By what factor the image is made smaller each time: half of its pixels."""

LEAST_SCORE = 0.6
"""The least probability of a face with which a place goes to the second stage."""

OVERLAP_AT_ONE_SCALE, OVERLAP = 0.5, 0.7
"""Of two places that share more than this of both together, the less probable one goes."""

MOST_PLACES = 1000
"""This many places go to the second stage, the most probable ones. A face has three or four. It bounds memory: with so
many the last stage takes 2 GB."""


def load_networks() -> MTCNN:
    """Return the three stages, with the weights that the package brings."""
    # By their full paths: by a bare name, mtcnn would first unpickle a file of that name in the working folder.
    weights = files("mtcnn") / "assets/weights"
    stages = {"pnet.lz4": FirstStage, "rnet.lz4": StageRNet, "onet.lz4": StageONet}
    return MTCNN(stages=[stage(weights=str(weights / name)) for name, stage in stages.items()])


class FirstStage(StagePNet):
    """Looks for places where a face may be, at all sizes."""

    def __call__(self, images_normalized: np.ndarray, *, min_face_size: float, **_: Any) -> np.ndarray:
        """Return the places in an image, float (n, 6): its number 0; left, top, right and bottom; and the score.

        Args:
            images_normalized: (1, height, width, 3), one image with values from -1 to 1.
            min_face_size: the smallest face that is looked for, in pixels, at least WINDOW.
        """
        scales = _scales(min(images_normalized.shape[1:3]), min_face_size)
        places = [self._places(images_normalized, scale) for scale in scales]
        return resize_to_square(_distinct(np.concatenate([np.empty((0, 6)), *places]), OVERLAP))

    def _places(self, images_normalized: np.ndarray, scale: float) -> np.ndarray:
        corrections, scores = self.model(scale_images(images_normalized, scale))
        places = generate_bounding_box(corrections, scores, LEAST_SCORE)
        return _distinct(upscale_bboxes(places, np.array([scale])), OVERLAP_AT_ONE_SCALE)


def _scales(side: int, smallest: float) -> Iterator[float]:
    """Yield the scales at which an image whose shorter side has `side` pixels is looked at."""
    scale = WINDOW / smallest
    while side * scale >= WINDOW:
        yield scale
        scale *= STEP


def _distinct(places: np.ndarray, overlap: float) -> np.ndarray:
    kept = tf.image.non_max_suppression(
        places[:, [2, 1, 4, 3]].astype(np.float32), places[:, 5].astype(np.float32), MOST_PLACES, iou_threshold=overlap
    )
    chosen: np.ndarray = places[kept.numpy()]
    return chosen
