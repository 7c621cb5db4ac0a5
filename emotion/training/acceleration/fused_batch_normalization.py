"""Batch normalization as one operation of TensorFlow; Keras 3 composes it from a dozen."""

from typing import Any

import keras


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """keras.layers.BatchNormalization over the last axis of (n, height, width, channels)."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the maps normalized, a float tensor of the shape of `inputs`; `mask` has no effect."""
        import tensorflow as tf

        training = bool(training and self.trainable)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma.value, tf.float32),
            offset=tf.convert_to_tensor(self.beta.value, tf.float32),
            mean=tf.zeros([0]) if training else tf.convert_to_tensor(self.moving_mean.value, tf.float32),
            variance=tf.zeros([0]) if training else tf.convert_to_tensor(self.moving_variance.value, tf.float32),
            epsilon=self.epsilon,
            is_training=training,
        )
        if training:
            # The operation divides the variance by n - 1; Keras keeps the one divided by n.
            count = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], tf.float32)
            self._update(self.moving_mean, mean)
            self._update(self.moving_variance, variance * ((count - 1) / count))
        return outputs

    def _update(self, average: keras.Variable, value: Any) -> None:
        average.assign(average * self.momentum + value * (1 - self.momentum))
