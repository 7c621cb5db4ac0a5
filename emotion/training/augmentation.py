"""Random changes of training images, drawn anew in each epoch."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from emotion.core.params import AugmentationParams


class Augmentation(keras.layers.Layer):
    """Images to changed images, uint8 (n, height, width, channels) both; nothing unless training.

    All that is random comes from `seed_generator`; setting its state makes a batch repeat to the bit.
    """

    def __init__(self, params: AugmentationParams, seed: int) -> None:
        super().__init__(name="augmentation", dtype="float32", autocast=False)
        self.params = params
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool | None = None) -> Any:
        """Return changed images while training, else `images`."""
        if not training:
            return images
        count, height, width, _ = ops.shape(images)
        changed = ops.cast(images, "float32")
        changed = self._move(changed, count, height, width)
        changed = self._relight(changed, count)
        changed = self._erase(changed, count, height, width)
        return ops.cast(ops.round(ops.clip(changed, 0, 255)), "uint8")

    def compute_output_spec(self, images: keras.KerasTensor, training: bool | None = None) -> keras.KerasTensor:
        """Return the shape and dtype of the images that `call` gives."""
        return keras.KerasTensor(images.shape, dtype="uint8")

    def _uniform(self, count: Any, low: float, high: float) -> Any:
        return keras.random.uniform((count,), low, high, seed=self.seed_generator)

    def _move(self, images: Any, count: Any, height: Any, width: Any) -> Any:
        """Rotate, scale, shift and mirror in one sampling, about the center, repeating the border."""
        params = self.params
        angle = self._uniform(count, -params.rotation, params.rotation) * (math.pi / 180)
        scale = 1 / self._uniform(count, params.zoom[0], params.zoom[1] + 1e-6)
        mirror = 1 - 2 * ops.cast(self._uniform(count, 0, 1) < (0.5 if params.flip else 0.0), "float32")
        cosine, sine = ops.cos(angle) * scale, ops.sin(angle) * scale
        height, width = ops.cast(height, "float32"), ops.cast(width, "float32")
        center_x, center_y = (width - 1) / 2, (height - 1) / 2
        shift_x = self._uniform(count, -params.shift, params.shift) * width
        shift_y = self._uniform(count, -params.shift, params.shift) * height
        row_x = (cosine * mirror, -sine, center_x - cosine * mirror * center_x + sine * center_y + shift_x)
        row_y = (sine * mirror, cosine, center_y - sine * mirror * center_x - cosine * center_y + shift_y)
        zeros = ops.zeros_like(angle)
        transforms = ops.stack([*row_x, *row_y, zeros, zeros], axis=1)
        return ops.image.affine_transform(images, transforms, interpolation="bilinear", fill_mode="nearest")

    def _relight(self, images: Any, count: Any) -> Any:
        """Change contrast about each image's mean, then brightness."""
        params = self.params
        contrast = ops.reshape(self._uniform(count, 1 - params.contrast, 1 + params.contrast), (-1, 1, 1, 1))
        brightness = ops.reshape(self._uniform(count, -params.brightness, params.brightness), (-1, 1, 1, 1)) * 255
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        return (images - mean) * contrast + mean + brightness

    def _erase(self, images: Any, count: Any, height: Any, width: Any) -> Any:
        """Set a patch of 2 to 20 % of the image to one random gray: Zhong et al. 2020, Random Erasing."""
        area = self._uniform(count, 0.02, 0.2)
        aspect = ops.exp(self._uniform(count, -0.7, 0.7))
        erased = self._uniform(count, 0, 1) < self.params.erase
        rows = self._inside(height, ops.sqrt(area * aspect), count)
        columns = self._inside(width, ops.sqrt(area / aspect), count)
        inside = ops.logical_and(rows[:, :, None], columns[:, None, :])
        inside = ops.logical_and(inside, erased[:, None, None])[..., None]
        gray = ops.reshape(self._uniform(count, 0, 255), (-1, 1, 1, 1))
        return ops.where(inside, gray, images)

    def _inside(self, length: Any, share: Any, count: Any) -> Any:
        """Return which of `length` positions lie in a stretch of that share at a random place: (count, length)."""
        position = (ops.cast(ops.arange(length), "float32") + 0.5) / ops.cast(length, "float32")
        start = self._uniform(count, 0, 1) * (1 - share)
        return ops.logical_and(position >= start[:, None], position < (start + share)[:, None])


class Mix(keras.layers.Layer):
    """Each image with its counterpart from the batch's other end: Zhang et al. 2018, mixup; nothing unless training.

    Takes images, uint8 (n, height, width, channels), and the share of each in its mixture, float32 (n,).
    """

    def __init__(self) -> None:
        super().__init__(name="mix", dtype="float32", autocast=False)

    def call(self, images: Any, shares: Any, training: bool | None = None) -> Any:
        """Return mixed images while training, else `images`."""
        if not training:
            return images
        shares = ops.reshape(shares, (-1, 1, 1, 1))
        own, other = ops.cast(images, "float32"), ops.cast(ops.flip(images, axis=0), "float32")
        return ops.cast(ops.round(shares * own + (1 - shares) * other), "uint8")

    def compute_output_spec(
        self, images: keras.KerasTensor, shares: keras.KerasTensor, training: bool | None = None
    ) -> keras.KerasTensor:
        """Return the shape and dtype of the images that `call` gives."""
        return keras.KerasTensor(images.shape, dtype="uint8")


def mixing_shares(
    count: int, batch_size: int, mixup: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return each image's share in its mixture, float32 (count,), and the number of its counterpart, (count,).

    Shares are from 0.5 to 1, the larger of two from Beta(mixup, mixup), so that an image mostly stays what it is;
    1 throughout where `mixup` is 0. Mixed are, as in `Mix`, the first and the last of a batch, and so on inwards.
    """
    numbers = np.arange(count)
    first = numbers // batch_size * batch_size
    last = np.minimum(first + batch_size, count) - 1
    if mixup == 0:
        return np.ones(count, np.float32), first + last - numbers
    shares = generator.beta(mixup, mixup, count)
    return np.maximum(shares, 1 - shares).astype(np.float32), first + last - numbers
