"""Grad-CAM (Selvaraju et al. 2017): the parts of an image that speak for an emotion.

A network's last feature maps still know places; what comes behind them is a pooling or flattening, and a classifier.
A place is warm where its features raise the emotion's score, by the gradient of that score, and only there. The score
is the number before the softmax or sigmoid, which does not vanish where the network is sure.

Grad-CAM averages the gradient over all places. Behind a global average it is the same at each of them, so nothing is
averaged away. Behind a flattening it differs, and the average would point at places that the network ignores. There
each place keeps its gradient, as in "HiResCAM" by Draelos and Carin 2020.
"""

from typing import Any

import cv2
import keras
import numpy as np
from keras import ops

from emotion.core.errors import InputError

BATCH_SIZE = 64


def explain(model: keras.Model, images: np.ndarray, labels: np.ndarray, *, flip: bool = False) -> np.ndarray:
    """Return where each of `images` speaks for the emotion that its label names.

    Args:
        model: takes uint8 images, and gives (n, classes), or (n, 1): the probability of the second of two emotions.
            Its last layer has the softmax or sigmoid.
        images: uint8 (n, size, size, channels), as `model` takes them.
        labels: (n,), whole numbers from 0 to classes - 1: the emotions to explain, right or not.
        flip: whether each map is the mean of those of the image and of its mirror image, as its probability is.

    Returns:
        float32 (n, size, size), from 0 to 1: the warmest place of each image has 1. All 0 where nothing speaks for
        the emotion. The same bytes every time.

    Raises:
        InputError: `model` has no feature maps, labels or images do not fit it, or Keras runs on a backend whose
            gradients are not used here.
    """
    labels = np.asarray(labels)
    _check_inputs(model, images, labels)
    maps, scores = _take_apart(model)
    # The mirrored ones are whole arrays too, since OpenCV and some backends take no negative strides.
    sides = [images, np.ascontiguousarray(images[:, :, ::-1])] if flip else [images]
    heat = [_heat_of_maps(maps, scores, side, labels) for side in sides]
    if flip:
        heat = [(heat[0] + heat[1][:, :, ::-1]) / 2]
    return _spread(heat[0], images.shape[1:3])


def find_maps(model: keras.Model) -> keras.KerasTensor:
    """Return the last feature maps of `model`, (n, height, width, channels).

    The search goes from the last layer to the first. It ends at a layer that takes maps and gives one row of numbers
    per image, such as a global pooling, a flattening or a reshaping.

    Raises:
        InputError: there is no such layer, or what it takes is the image itself.
    """
    for layer in reversed(model.layers):
        input_shape, output_shape = _shape(layer, "input"), _shape(layer, "output")
        if len(input_shape) == 4 and len(output_shape) == 2 and keras.backend.is_float_dtype(layer.input.dtype):
            return layer.input
    raise InputError(
        f"the network {model.name} has no feature maps to explain it by. None of its layers takes (n, height, width, "
        "channels) and gives (n, features). Expected convolutions with a global pooling or Flatten behind them"
    )


def _shape(layer: keras.Layer, side: str) -> tuple[int | None, ...]:
    """Return the shape of what `layer` takes or gives; nothing where that is no single tensor."""
    return getattr(getattr(layer, side, None), "shape", ())


def _check_inputs(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> None:
    expected = model.input.shape[1:]
    fits = len(images.shape[1:]) == len(expected) and all(
        wanted in (None, side) for wanted, side in zip(expected, images.shape[1:], strict=True)
    )
    if images.dtype != np.uint8 or not fits:
        raise InputError(f"got images of {images.dtype} and shape {images.shape}, expected uint8 (n, *{expected})")
    classes = max(2, model.output.shape[-1])
    if labels.shape != images.shape[:1] or (labels.size and not (labels.min() >= 0 and labels.max() < classes)):
        raise InputError(
            f"got labels {np.unique(labels).tolist()} of shape {labels.shape} for {len(images)} images, expected one "
            f"from 0 to {classes - 1} an image"
        )


def _take_apart(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Return two networks with the layers of `model`: from images to maps, and from maps to scores, (n, units)."""
    maps = find_maps(model)
    last = model.layers[-1]
    config = last.get_config()
    if "activation" not in config:
        raise InputError(
            f"the network {model.name} ends in {type(last).__name__}; expected Dense or Activation with the softmax or "
            "sigmoid in it"
        )
    bare = type(last).from_config(config | {"activation": "linear"})
    scores = bare(last.input)
    bare.set_weights(last.get_weights())
    return keras.Model(model.input, maps), keras.Model(maps, scores)


def _heat_of_maps(to_maps: keras.Model, to_scores: keras.Model, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return how much each place raises the score, float32 (n, height, width) of the feature maps; not below 0."""
    batches = []
    for start in range(0, len(images), BATCH_SIZE):
        some = slice(start, start + BATCH_SIZE)
        maps = to_maps(images[some], training=False)
        weights = ops.cast(_score_weights(labels[some], to_scores.output.shape[-1]), maps.dtype)
        heat = ops.relu(ops.sum(maps * _gradients(to_scores, maps, weights), axis=-1))
        batches.append(ops.convert_to_numpy(heat).astype(np.float32))
    return np.concatenate(batches) if batches else np.empty((0, 1, 1), np.float32)


def _score_weights(labels: np.ndarray, units: int) -> np.ndarray:
    """Return by what each score is multiplied, (n, units): 1 for the emotion's own, 0 for others.

    A single one speaks for the second of two emotions, and so its negative for the first.
    """
    if units == 1:
        return np.where(labels == 1, 1.0, -1.0)[:, None]
    weights: np.ndarray = np.eye(units)[labels]
    return weights


def _gradients(to_scores: keras.Model, maps: Any, weights: Any) -> Any:
    """Return by how much each number of `maps` raises the scores, weighed by `weights`: a tensor like `maps`."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(maps)
            total = ops.sum(to_scores(maps, training=False) * weights)
        return tape.gradient(total, maps)
    if backend == "jax":
        import jax

        return jax.grad(lambda values: ops.sum(to_scores(values, training=False) * weights))(maps)
    raise InputError(
        f"Keras runs on {backend} here, whose gradients this project does not use; set KERAS_BACKEND=tensorflow "
        "(or jax)"
    )


def _spread(heat: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the heat of maps, (n, height, width), over images of `shape`, from 0 to 1 in each."""
    large = np.empty((len(heat), *shape), np.float32)
    for place, small in enumerate(heat):
        large[place] = cv2.resize(small, shape[::-1], interpolation=cv2.INTER_LINEAR)
    warmest = large.max(axis=(1, 2), keepdims=True, initial=0)
    relative = np.zeros_like(large)
    np.divide(large, warmest, out=relative, where=warmest > 0)
    return relative
