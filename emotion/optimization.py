"""How weights move: the optimiser, and its learning rate from step to step."""

import math

import keras
from keras import ops

from emotion.params import TrainParams


def make_optimizer(params: TrainParams, steps_per_epoch: int, network: keras.Model) -> keras.optimizers.Optimizer:
    """Return the optimiser that `params` names; weight decay shrinks the kernels of `network` and nothing else."""
    rate = WarmUp(params, steps_per_epoch)
    if params.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=params.weight_decay)
    else:
        optimizer = keras.optimizers.Adam(rate, weight_decay=params.weight_decay)
    optimizer.exclude_from_weight_decay([w for w in network.trainable_weights if not w.name.endswith("kernel")])
    return optimizer


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """From zero to the peak in the first steps, then constant, or along half a cosine to zero at the last."""

    def __init__(self, params: TrainParams, steps_per_epoch: int) -> None:
        self.peak, self.cosine = params.learning_rate, params.schedule == "cosine"
        self.warmup, self.total = params.warmup_epochs * steps_per_epoch, params.epochs * steps_per_epoch

    def __call__(self, step):
        step = ops.cast(step, "float32")
        warm = ops.minimum(1.0, (step + 1) / max(1, self.warmup))
        if not self.cosine:
            return self.peak * warm
        progress = ops.clip((step - self.warmup) / max(1, self.total - self.warmup), 0, 1)
        return self.peak * warm * (1 + ops.cos(math.pi * progress)) / 2
