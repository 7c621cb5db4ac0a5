"""Batch normalisation in one pass over memory: what only TensorFlow offers, and only while training.

Keras 3 composes batch normalisation from a dozen operations. On a CPU that, not the convolutions, is where
most of a training step goes. The fused layer holds the same weights in the same order.
"""

import keras


def fuse(network: keras.Model) -> keras.Model:
    """Return `network` with fused batch normalisation where the backend has it; weights are copied."""
    if keras.backend.backend() != "tensorflow":
        return network
    fused = keras.models.clone_model(network, clone_function=_clone_layer)
    fused.set_weights(network.get_weights())
    return fused


def _clone_layer(layer: keras.Layer) -> keras.Layer:
    config = layer.get_config()
    if isinstance(layer, keras.layers.BatchNormalization):
        return _FusedBatchNormalization.from_config(config)
    return type(layer).from_config(config)


class _FusedBatchNormalization(keras.layers.BatchNormalization):
    """keras.layers.BatchNormalization over the last axis of (n, height, width, channels)."""

    def call(self, inputs, training=None, mask=None):
        if not (training and self.trainable):
            return super().call(inputs, training=False)
        import tensorflow as tf

        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma.value, tf.float32),
            offset=tf.convert_to_tensor(self.beta.value, tf.float32),
            mean=tf.zeros([0]),
            variance=tf.zeros([0]),
            epsilon=self.epsilon,
            is_training=True,
        )
        # The operation divides the variance by n - 1; Keras keeps the one divided by n.
        count = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], tf.float32)
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance * ((count - 1) / count))
        return outputs

    def _move(self, average, value):
        average.assign(average * self.momentum + value * (1 - self.momentum))
