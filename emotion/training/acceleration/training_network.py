"""The form in which a network trains faster, with the same weights in the same order.

Three things take most of a stock training step on a processor, besides what convolutions must do. Keras 3 composes
batch normalization from a dozen operations; TensorFlow has it in one. Convolutions by 3x3 kernels over many channels
take five times the multiply-adds that they need; `winograd` beside this file saves those. And kernel gradients in
bfloat16 oneDNN computes at half the speed of the convolutions themselves where maps are small; there they are written
as convolutions.
"""

import keras

from emotion.model_files.keras_setup import accelerator, backend
from emotion.training.acceleration import winograd
from emotion.training.precision import cpu_flags

LARGEST_MAP = 12
"""Height and width up to which a kernel gradient is quicker as a convolution: it takes half the time for maps of 6x6,
0.7 times for 12x12, and no less for 24x24 (AMD EPYC Zen 4, batches of 128). With AMX it takes 0.3 to 0.5 times for 6x6,
as long for 12x12, and longer for 24x24."""


def to_training_network(network: keras.Model, precision: str | None = None) -> keras.Model:
    """Return `network` made of layers that train faster, where there are some; weights are copied.

    With `precision`, a Keras dtype policy, its layers compute in that, except the last, which gives probabilities.
    """

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
    if type(layer) is keras.layers.BatchNormalization and backend() == "tensorflow":
        return _FusedBatchNormalization
    if type(layer) is keras.layers.Conv2D and _reads_every_place(layer) and _computes_on_processor():
        return _Bfloat16Convolution if _computes_in_bfloat16() else _FastConvolution
    return type(layer)


def _reads_every_place(layer: keras.layers.Conv2D) -> bool:
    """Return whether the kernel of `layer` goes over its maps place by place, and sees a place with its neighbors."""
    plain = layer.strides == (1, 1) and layer.dilation_rate == (1, 1) and layer.groups == 1
    return plain and max(layer.kernel_size) > 1


def _computes_on_processor() -> bool:
    """Return whether the backend is one of those measured, without a GPU, whose libraries know all this better."""
    return backend() in ("tensorflow", "jax") and accelerator() is None


def _computes_in_bfloat16() -> bool:
    """Return whether convolutions in bfloat16 are those of oneDNN on x86, the ones measured."""
    return backend() == "tensorflow" and "avx512_bf16" in cpu_flags()


def products_are_faster(inputs: keras.KerasTensor, filters: int, padding: int) -> bool:
    """Return `emotion.training.acceleration.winograd.is_faster`, except in bfloat16 with AMX.

    That multiplies whole blocks of matrices, and takes less time for all multiply-adds than float32 for a fifth.
    """
    if keras.backend.standardize_dtype(inputs.dtype) == "bfloat16" and "amx_bf16" in cpu_flags():
        return False
    return winograd.is_faster(inputs, filters, padding)


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


class _FastConvolution(keras.layers.Conv2D):
    """keras.layers.Conv2D of strides and dilation 1, in float32 with fewer multiply-adds where that is faster."""

    def convolution_op(self, inputs, kernel):
        if keras.backend.standardize_dtype(inputs.dtype) == "float32" and self._winograd_is_faster(inputs):
            return self._by_winograd(inputs, kernel)
        return super().convolution_op(inputs, kernel)

    def _winograd_is_faster(self, inputs) -> bool:
        three = self.kernel_size == (winograd.KERNEL_SIZE, winograd.KERNEL_SIZE)
        return three and products_are_faster(inputs, self.filters, self._padding())

    def _by_winograd(self, inputs, kernel):
        return winograd.convolve(inputs, kernel, self._padding())

    def _padding(self) -> int:
        return 1 if self.padding == "same" else 0


class _Bfloat16Convolution(_FastConvolution):
    """The same; in bfloat16 by products of matrices or with kernel gradients as convolutions, where that is faster."""

    def convolution_op(self, inputs, kernel):
        import tensorflow as tf

        if inputs.dtype != tf.bfloat16:
            return super().convolution_op(inputs, kernel)
        if self._winograd_is_faster(inputs):
            return self._by_winograd(inputs, kernel)
        if self._maps_are_small(inputs):
            return _convolve(inputs, tf.convert_to_tensor(kernel))
        return super().convolution_op(inputs, kernel)

    def _maps_are_small(self, inputs) -> bool:
        height, width = inputs.shape[1:3]
        keeps_size = self.padding == "same" and all(size % 2 for size in self.kernel_size)
        return keeps_size and None not in (height, width) and max(height, width) <= LARGEST_MAP


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

    It is a sum of products over images and places, for each shift of the two maps against each other. A convolution
    sums over channels and places, so images take the place of channels, `inputs` become one wide image with their
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
