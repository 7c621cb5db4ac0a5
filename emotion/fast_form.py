"""The form in which a network trains faster, with the same weights in the same order: what only TensorFlow offers.

Keras 3 composes batch normalisation from a dozen operations; TensorFlow has it in one. On a processor that, not the
convolutions, is where most of a stock training step goes.

What is most of the rest, kernel gradients of convolutions in bfloat16, oneDNN computes at half the speed of the
convolutions themselves where maps are small. There they are written as convolutions.
"""

import keras

from emotion.precision import cpu_flags
from emotion.runtime import accelerator

LARGEST_MAP = 12
"""Height and width up to which a kernel gradient is quicker as a convolution: it takes half the time for maps of 6x6,
0.7 times for 12x12, and no less for 24x24 (AMD EPYC Zen 4, batches of 128)."""


def fast_form(network: keras.Model, precision: str | None = None) -> keras.Model:
    """Return `network` made of layers that train faster, where the backend has them; weights are copied.

    With `precision`, a Keras dtype policy, its layers compute in that, except the last, which gives probabilities.
    """
    if keras.backend.backend() != "tensorflow" and precision is None:
        return network

    def clone(layer: keras.Operation) -> keras.Operation:
        config = layer.get_config()
        if precision is not None and isinstance(layer, keras.Layer) and layer is not network.layers[-1]:
            config["dtype"] = precision
        return _fast_class(layer).from_config(config)

    fast = keras.models.clone_model(network, clone_function=clone)
    fast.set_weights(network.get_weights())
    return fast


def _fast_class(layer: keras.Operation) -> type[keras.Operation]:
    """Return the class of the layer that takes the place of `layer`; where there is none, its own."""
    if keras.backend.backend() == "tensorflow":
        if type(layer) is keras.layers.BatchNormalization:
            return _FusedBatchNormalization
        if type(layer) is keras.layers.Conv2D and _keeps_size(layer) and _kernel_gradients_are_slow():
            return _SmallMapConvolution
    return type(layer)


def _keeps_size(layer: keras.layers.Conv2D) -> bool:
    """Return whether maps leave `layer` as large as they enter, each place computed from those around it."""
    plain = layer.strides == (1, 1) and layer.dilation_rate == (1, 1) and layer.groups == 1
    odd = all(size % 2 for size in layer.kernel_size)
    return plain and odd and max(layer.kernel_size) > 1 and layer.padding == "same"


def _kernel_gradients_are_slow() -> bool:
    """Return whether oneDNN has no kernel gradients by blocks of matrices in bfloat16: on x86, those need AMX."""
    flags = cpu_flags()
    return "avx512_bf16" in flags and "amx_bf16" not in flags and accelerator() is None


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


class _SmallMapConvolution(keras.layers.Conv2D):
    """keras.layers.Conv2D that keeps the size of its maps, with the kernel gradient of small ones as a convolution.

    In float32 that gains nothing, so it is left to TensorFlow there.
    """

    def convolution_op(self, inputs, kernel):
        import tensorflow as tf

        height, width = inputs.shape[1:3]
        small = None not in (height, width) and max(height, width) <= LARGEST_MAP
        if not small or inputs.dtype != tf.bfloat16:
            return super().convolution_op(inputs, kernel)
        return _convolve(inputs, tf.convert_to_tensor(kernel))


def _convolve(inputs, kernel):
    """Convolve (n, height, width, in) by a kernel (rows, columns, in, out) of odd sides, with zeros around the maps."""
    import tensorflow as tf

    @tf.custom_gradient
    def convolve(inputs, kernel):
        def gradients(upstream):
            of_inputs = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(inputs), filter=kernel, out_backprop=upstream, strides=[1] * 4, padding="SAME"
            )
            return of_inputs, _kernel_gradient(inputs, upstream, kernel.shape[:2])

        return tf.nn.conv2d(inputs, kernel, strides=1, padding="SAME"), gradients

    return convolve(inputs, kernel)


def _kernel_gradient(inputs, upstream, kernel_size):
    """Return the gradient (rows, columns, in, out) of a kernel that made (n, height, width, out) from `inputs`.

    It is a sum of products over pictures and places, for each shift of the two maps against each other. A convolution
    sums over channels and places, so pictures take the place of channels, `inputs` become one wide picture with their
    channels side by side, and `upstream` is a kernel that is spread to reach the same channel of the next place.
    """
    import tensorflow as tf

    batch = tf.shape(inputs)[0]
    _, height, width, channels = inputs.shape
    rows, columns = kernel_size
    wide = tf.reshape(tf.transpose(tf.reshape(inputs, [batch, -1])), [1, height, width * channels, batch])
    up, left = rows // 2, columns // 2 * channels
    gradient = tf.nn.conv2d(
        wide,
        tf.transpose(upstream, [1, 2, 0, 3]),
        strides=1,
        padding=[[0, 0], [up, up], [left, left], [0, 0]],
        dilations=[1, channels],
    )
    return tf.reshape(gradient, [rows, columns, channels, -1])
