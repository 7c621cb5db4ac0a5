"""Batch normalisation in one pass over memory: what only TensorFlow offers.

Keras 3 composes batch normalisation from a dozen operations. On a CPU that, not the convolutions, is where
most of a training step goes. The fused layer holds the same weights in the same order.
"""

import keras


def fuse(network: keras.Model, precision: str | None = None) -> keras.Model:
    """Return `network` with fused batch normalisation where the backend has it; weights are copied.

    With `precision`, a Keras dtype policy, its layers compute in that, except the last, which gives probabilities.
    """
    if keras.backend.backend() != "tensorflow" and precision is None:
        return network

    def clone(layer: keras.Operation) -> keras.Operation:
        config = layer.get_config()
        if precision is not None and isinstance(layer, keras.Layer) and layer is not network.layers[-1]:
            config["dtype"] = precision
        fusable = isinstance(layer, keras.layers.BatchNormalization) and keras.backend.backend() == "tensorflow"
        return (_FusedBatchNormalization if fusable else type(layer)).from_config(config)

    fused = keras.models.clone_model(network, clone_function=clone)
    fused.set_weights(network.get_weights())
    return fused


class _FusedBatchNormalization(keras.layers.BatchNormalization):
    """keras.layers.BatchNormalization over the last axis of (n, height, width, channels)."""

    def call(self, inputs, training=None, mask=None):
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
            self._move(self.moving_mean, mean)
            self._move(self.moving_variance, variance * ((count - 1) / count))
        return outputs

    def _move(self, average, value):
        average.assign(average * self.momentum + value * (1 - self.momentum))
