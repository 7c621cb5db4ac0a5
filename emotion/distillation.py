"""Distillation: a network learns what another one, or several, say of each picture (Hinton et al. 2015).

Teacher and student see the same changed pictures, which Beyer et al. 2022 found to matter most.
"""

from collections.abc import Sequence

import keras
from keras import ops


class Imitation(keras.layers.Layer):
    """Passes the student's probabilities on, and adds to the loss how far they are from the teacher's.

    The loss that is added is `share` times the Kullback-Leibler divergence from teacher to student, the batch's mean.
    Several teachers speak as one, by the mean of their probabilities.
    """

    def __init__(self, teachers: Sequence[keras.Model], share: float) -> None:
        super().__init__(name="imitation", dtype="float32", autocast=False)
        self.teachers, self.share = list(teachers), share
        for teacher in self.teachers:
            teacher.trainable = False

    def call(self, images, probabilities, training=None):
        """Take images, uint8 (n, height, width, channels), and probabilities, float32 (n, units); return the latter."""
        if training:
            answers = [_ask(teacher, images) for teacher in self.teachers]
            truth, said = _columns(sum(answers) / len(answers)), _columns(probabilities)
            divergence = ops.sum(truth * (ops.log(truth) - ops.log(said)), axis=1)
            self.add_loss(self.share * ops.mean(divergence))
        return probabilities

    def compute_output_spec(self, images, probabilities, training=None):
        return keras.KerasTensor(probabilities.shape, dtype="float32")


def _ask(teacher: keras.Model, images):
    size = teacher.input_shape[1:3]
    if None not in size and size != images.shape[1:3]:
        images = ops.image.resize(ops.cast(images, "float32"), size)
    return ops.stop_gradient(ops.cast(teacher(images, training=False), "float32"))


def _columns(probabilities):
    """Return (n, classes), above 0, of (n, classes), or of the probability of the second of two classes (n, 1)."""
    if probabilities.shape[1] == 1:
        probabilities = ops.concatenate([1 - probabilities, probabilities], axis=1)
    return ops.clip(probabilities, 1e-7, 1.0)
