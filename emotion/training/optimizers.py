"""The optimizer that updates the weights, and its learning rate from step to step."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from emotion.core.params import TrainParams
from emotion.training.precision import BFLOAT16, resolve_precision

MOMENTUM = 0.9
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Jordan's coefficients: few rounds bring every singular value near 1, none exactly there."""
NEWTON_SCHULZ_ROUNDS = 3
IMAGE_CHANNELS = 3


def make_optimizer(params: TrainParams, steps_per_epoch: int, network: keras.Model) -> keras.optimizers.Optimizer:
    """Return the optimizer that `params` names; weight decay shrinks the kernels of `network` and nothing else."""
    rate = WarmUp(params, steps_per_epoch)
    if params.optimizer == "adam":
        optimizer = keras.optimizers.Adam(rate, weight_decay=params.weight_decay)
    elif params.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(rate, MOMENTUM, nesterov=True, weight_decay=params.weight_decay)
    else:
        dtype = "bfloat16" if resolve_precision(params.precision) == BFLOAT16 else "float32"
        optimizer = Muon(rate, params.weight_decay, dtype)
    optimizer.exclude_from_weight_decay([w for w in network.trainable_weights if not _decays(w, optimizer)])
    return optimizer


def _decays(weight: keras.Variable, optimizer: keras.optimizers.Optimizer) -> bool:
    return weight.name.endswith("kernel") and not (isinstance(optimizer, Muon) and optimizer.takes(weight))


class Muon(keras.optimizers.SGD):
    """Steps made orthogonal, for the kernels of convolutions: Jordan et al. 2024; Nesterov's momentum for the rest.

    A kernel is taken as a matrix of a row for each of its n outputs. A step is the learning rate times about the
    nearest matrix to the momentum whose singular values are all 1, so that rare directions count as much as frequent
    ones. Afterwards the kernel is scaled to a norm of sqrt(n). A normalization behind it makes its norm irrelevant, so
    the learning rate is the share of the kernel that a step exchanges, and weight decay has nothing to do there.
    Convolutions of the image itself, dense layers and all other weights move as under `keras.optimizers.SGD`.

    Keras' own Muon knows matrices only, and leaves convolutions to Adam.
    """

    def __init__(
        self, learning_rate: float | keras.optimizers.schedules.LearningRateSchedule, weight_decay: float, dtype: str
    ) -> None:
        """Take a rate or schedule, and the dtype of the matrix products that make a step orthogonal."""
        super().__init__(learning_rate, MOMENTUM, nesterov=True, weight_decay=weight_decay, name="muon")
        self._dtype = dtype

    @staticmethod
    def takes(weight: keras.Variable) -> bool:
        """Return whether `weight` is the kernel, (height, width, inputs, outputs), of a convolution of maps."""
        return weight.name in ("kernel", "pointwise_kernel") and weight.ndim == 4 and weight.shape[2] > IMAGE_CHANNELS

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make the optimizer's variables, one momentum for each of `variables`."""
        super().build(variables)
        self._taken = [self.takes(variable) for variable in variables]  # in a step, variables have lost their names

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        """Move `variable` by one step."""
        index = self._get_variable_index(variable)
        if not self._taken[index]:
            super().update_step(gradient, variable, learning_rate)
            return
        momentum = self.momentums[index]
        self.assign(momentum, momentum * MOMENTUM + gradient)
        step = self._orthogonal(momentum * MOMENTUM + gradient)
        moved = variable - learning_rate * step
        self.assign(variable, moved * (math.sqrt(variable.shape[3]) / ops.norm(ops.reshape(moved, (-1,)))))

    def _orthogonal(self, kernel: Any) -> Any:
        """Return about the nearest kernel whose matrix has only 1 as singular values, by Newton and Schulz."""
        matrix = ops.reshape(kernel, (-1, kernel.shape[3]))
        upright = matrix.shape[0] > matrix.shape[1]  # the products below are smaller for more columns than rows
        matrix = ops.transpose(matrix) if upright else matrix
        matrix = ops.cast(matrix / (ops.norm(matrix) + 1e-7), self._dtype)
        linear, cubic, quintic = NEWTON_SCHULZ
        for _ in range(NEWTON_SCHULZ_ROUNDS):
            square = ops.matmul(matrix, ops.transpose(matrix))
            matrix = linear * matrix + ops.matmul(cubic * square + quintic * ops.matmul(square, square), matrix)
        matrix = ops.cast(matrix, "float32")
        return ops.reshape(ops.transpose(matrix) if upright else matrix, kernel.shape)


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """From zero to the peak in the first steps, then constant, or along half a cosine to zero at the last."""

    def __init__(self, params: TrainParams, steps_per_epoch: int) -> None:
        self.peak, self.cosine = params.learning_rate, params.schedule == "cosine"
        self.total = params.epochs * steps_per_epoch
        self.warmup = round(params.warmup * self.total)

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step; the first step is 0."""
        step = ops.cast(step, "float32")
        warm = ops.minimum(1.0, (step + 1) / max(1, self.warmup))
        if not self.cosine:
            return self.peak * warm
        progress = ops.clip((step - self.warmup) / max(1, self.total - self.warmup), 0, 1)
        return self.peak * warm * (1 + ops.cos(math.pi * progress)) / 2
