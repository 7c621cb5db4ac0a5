"""The same network made of layers that train faster: the one entry to this folder.

Four things make a stock training step slow on a processor. Each has a file here that says how it is avoided. Batch
normalization has many operations, and many exchanges between ranks. Convolutions by 3x3 kernels over many channels
take many multiply-adds. Kernel gradients are slow in bfloat16.
"""

from typing import Any

import keras

from emotion.model_files.keras_setup import accelerator, backend
from emotion.training.acceleration.fused_batch_normalization import FusedBatchNormalization
from emotion.training.acceleration.kernel_gradients import KernelGradientConvolution
from emotion.training.acceleration.shared_batch_normalization import SharedBatchNormalization
from emotion.training.acceleration.winograd import KERNEL_SIZE, WinogradConvolution
from emotion.training.distribution import processes
from emotion.training.precision import cpu_flags


def to_training_network(network: keras.Model, precision: str | None = None) -> keras.Model:
    """Return `network` made of layers that train faster, where there are some; weights are copied, in the same order.

    Args:
        network: made of stock Keras layers.
        precision: a Keras dtype policy for all layers but the last, which gives probabilities; None keeps their own.
    """

    def clone(layer: keras.Operation) -> keras.Operation:
        config = layer.get_config()
        if precision is not None and isinstance(layer, keras.Layer) and layer is not network.layers[-1]:
            config["dtype"] = precision
        return _training_class(layer, config).from_config(config)

    training_network = keras.models.clone_model(network, clone_function=clone)
    training_network.set_weights(network.get_weights())
    return training_network


def _training_class(layer: keras.Operation, config: dict[str, Any]) -> type[keras.Operation]:
    """Return the class that replaces the class of `layer`, or the same class; `config` belongs to the new layer."""
    if type(layer) is keras.layers.BatchNormalization:
        return _normalization_class()
    if type(layer) is keras.layers.Conv2D and _is_plain(layer) and _trains_on_processor():
        return _convolution_class(layer, keras.dtype_policies.get(config["dtype"]).compute_dtype)
    return type(layer)


def _normalization_class() -> type[keras.layers.BatchNormalization]:
    """Return the class of batch normalization for this backend and number of processes."""
    if backend() == "tensorflow":
        return FusedBatchNormalization
    stock: type[keras.layers.BatchNormalization] = keras.layers.BatchNormalization
    return SharedBatchNormalization if processes() > 1 else stock


def _convolution_class(layer: keras.layers.Conv2D, dtype: str) -> type[keras.layers.Conv2D]:
    """Return the class of a plain convolution that computes in `dtype`."""
    if dtype == "float32" and layer.kernel_size == (KERNEL_SIZE, KERNEL_SIZE):
        return WinogradConvolution
    if dtype == "bfloat16" and _keeps_size(layer) and _has_onednn_bfloat16():
        return KernelGradientConvolution
    stock: type[keras.layers.Conv2D] = keras.layers.Conv2D
    return stock


def _is_plain(layer: keras.layers.Conv2D) -> bool:
    """Return whether the kernel of `layer` is larger than a pixel, and moves pixel by pixel over all channels."""
    moves: bool = layer.strides == (1, 1) and layer.dilation_rate == (1, 1) and layer.groups == 1
    return moves and max(layer.kernel_size) > 1


def _keeps_size(layer: keras.layers.Conv2D) -> bool:
    return layer.padding == "same" and all(size % 2 for size in layer.kernel_size)


def _trains_on_processor() -> bool:
    """Return whether this trains on a processor, by one of the backends measured; a GPU has fast convolutions."""
    return backend() in ("tensorflow", "jax") and accelerator() is None


def _has_onednn_bfloat16() -> bool:
    """Return whether convolutions in bfloat16 are those of oneDNN on x86, the ones measured."""
    return backend() == "tensorflow" and "avx512_bf16" in cpu_flags()
