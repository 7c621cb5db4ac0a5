"""Batches of images for a network, in a fixed order. In training they come from an array on the device."""

import math
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from emotion.core.params import Params
from emotion.training import distribution
from emotion.training.augmentation import mixing_shares
from emotion.training.targets import Targets

if TYPE_CHECKING:
    import tensorflow as tf


def count_images(available: int) -> int:
    """Return how many images an epoch has: all `available` ones, or as many as the processes can share evenly."""
    return available - available % distribution.processes()


def epoch_dataset(targets: Targets, epoch: int, params: Params) -> "tf.data.Dataset | keras.utils.PyDataset":
    """Return the batches of one epoch; their order and mixture follow from the seed and the epoch alone.

    A batch has inputs, targets and sample weights. The targets are mixed as the images are. The inputs are:

    - the numbers of the images, int32 (n,),
    - the share of each image in its mixture, float32 (n,),
    - the teachers' probabilities, float32 (n, classes), where `targets` has them.

    Of several processes each gets its part of every batch. Images at the end of the order that they cannot share evenly
    are left out of the epoch.

    Args:
        targets: of all training images.
        epoch: the first one is 0.
        params: the sections `train` and `augmentation`.
    """
    generator = np.random.default_rng([params.train.seed, epoch])
    count = len(targets.train)
    order = generator.permutation(count).astype(np.int32)[: count_images(count)]
    batch_size = params.train.batch_size
    shares, partners = mixing_shares(len(order), batch_size, params.augmentation.mixup, generator)

    def mix(rows: np.ndarray) -> np.ndarray:
        mixed: np.ndarray = shares[:, None] * rows[order] + (1 - shares[:, None]) * rows[order[partners]]
        return mixed

    inputs = (order, shares) if targets.teacher is None else (order, shares, mix(targets.teacher))
    return make_dataset(inputs, mix(targets.train), targets.sample_weights[order], batch_size=batch_size)


def make_dataset(*columns: Any, batch_size: int) -> "tf.data.Dataset | keras.utils.PyDataset":
    """Return what `fit`, `evaluate` and `predict` of Keras take: the arrays side by side, in batches, in their order.

    Args:
        columns: arrays of n rows each, or tuples of such: what a network takes, then targets, then weights.
        batch_size: rows per step; the last step may have fewer.
    """
    if keras.backend.backend() != "tensorflow":
        return _Batches(columns, batch_size)
    import tensorflow as tf

    # A thread of tf.data would tune the data set. Here it has nothing to gain, and may miss the signal to end: `fit`
    # then waits until it wakes up, up to as long again as the whole epoch took.
    options = tf.data.Options()
    options.autotune.enabled = False
    rows = columns if len(columns) > 1 else columns[0]
    return tf.data.Dataset.from_tensor_slices(rows).batch(batch_size).with_options(options)


class _Batches(keras.utils.PyDataset):
    """Batches for the backends without data sets."""

    def __init__(self, columns: tuple[Any, ...], batch_size: int) -> None:
        super().__init__()
        self.columns, self.batch_size = columns, batch_size

    def __len__(self) -> int:
        return math.ceil(self._rows / self.batch_size)

    @property
    def _rows(self) -> int:
        return len(keras.tree.flatten(self.columns)[0])

    def __getitem__(self, index: int) -> Any:
        start = index * self.batch_size
        rows = distribution.own_part(slice(start, min(start + self.batch_size, self._rows)))
        batch = keras.tree.map_structure(lambda array: array[rows], self.columns)
        return batch if len(batch) > 1 else batch[0]


class ImageTable(keras.layers.Layer):
    """Numbers of images, int32 (n,), to the images, uint8 (n, height, width, channels).

    The array of all images is a weight that nothing trains, so that it is on the device once.
    """

    def __init__(self, images: np.ndarray) -> None:
        super().__init__(name="image_table", trainable=False)
        self.images = self.add_weight(shape=images.shape, dtype="uint8", trainable=False, initializer="zeros")
        self.images.assign(images)

    def call(self, numbers: Any) -> Any:
        """Return the images with these numbers."""
        return ops.take(self.images, numbers, axis=0)

    def compute_output_spec(self, numbers: keras.KerasTensor) -> keras.KerasTensor:
        """Return the shape and dtype of the images that `call` gives."""
        return keras.KerasTensor((*numbers.shape, *self.images.shape[1:]), dtype="uint8")
