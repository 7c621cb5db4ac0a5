"""Batch normalization of a batch that ranks share, with one exchange of numbers each way; Keras' own takes about four.

What an exchange takes is mostly the wait until all ranks have come to it.
"""

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import keras
from keras import ops

from emotion.training.distribution import gather_in_step, is_shared, on_own_part, sum_in_step


class SharedBatchNormalization(keras.layers.BatchNormalization):
    """keras.layers.BatchNormalization over the last axis of (n, height, width, channels), with scale and center."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the maps normalized, a float tensor of the shape of `inputs`; `mask` has no effect."""
        if not (training and self.trainable and is_shared(inputs)):
            return super().call(inputs, training=training)
        normalize = partial(normalize_part, epsilon=self.epsilon)
        outputs, mean, variance = on_own_part(normalize, ops.cast(inputs, "float32"), self.gamma, self.beta, joined=2)
        self._update(self.moving_mean, mean)
        self._update(self.moving_variance, variance)
        return ops.cast(outputs, self.compute_dtype)

    def _update(self, average: keras.Variable, value: Any) -> None:
        average.assign(average * self.momentum + value * (1 - self.momentum))


def normalize_part(part: Any, gamma: Any, beta: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """Return the own part of the maps normalized, and mean and variance of all of them, which pass no gradient on.

    Gradients are those of Ioffe & Szegedy 2015 (Batch Normalization).

    Args:
        part: float32 tensor (n, height, width, channels), with as many maps as all other parts.
        gamma: float32 tensor (channels,), the standard deviation of the results.
        beta: float32 tensor (channels,), their mean.
        epsilon: is added to the variance.
    """
    axes = (0, 1, 2)

    def normalize(part: Any, gamma: Any, beta: Any) -> tuple[Any, Callable[..., Any]]:
        every = gather_in_step(ops.stack(ops.moments(part, axes=axes)))
        means, variances = every[:, 0], every[:, 1]
        mean = ops.mean(means, axis=0)
        variance = ops.mean(variances, axis=0) + ops.var(means, axis=0)
        factor = ops.rsqrt(variance + epsilon)
        count = len(every) * prod(part.shape[:-1])

        def gradients(upstreams: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
            upstream, *_ = upstreams
            standard = (part - mean) * factor
            sums = ops.stack([ops.sum(upstream, axis=axes), ops.sum(upstream * standard, axis=axes)])
            of_beta, of_gamma = sum_in_step(sums)
            of_part = gamma * factor * (upstream - of_beta / count - standard * (of_gamma / count))
            return of_part, of_gamma, of_beta

        return ((part - mean) * (factor * gamma) + beta, mean, variance), gradients

    results: tuple[Any, Any, Any] = ops.custom_gradient(normalize)(part, gamma, beta)
    return results
