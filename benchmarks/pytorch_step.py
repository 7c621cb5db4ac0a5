"""A network of this project in PyTorch, with the same layers and weights, trained eagerly by a plain loop.

PyTorch is no requirement of this project: import this module only where it is installed.
"""

from collections.abc import Callable

import keras
import numpy as np
import torch
from torch import nn

from emotion.core.params import TrainParams

MOMENTUM = 0.9


class Network(nn.Module):
    """A Keras network with its weights, channels last; the last layer gives logits.

    Maps images, float32 (n, channels, height, width) of values 0 to 255, to (n, classes).
    """

    def __init__(self, network: keras.Model) -> None:
        """Take a network for which `unknown_layers` returns nothing."""
        super().__init__()
        self.parts = nn.ModuleDict({layer.name: CONVERTERS[_kind(layer)](layer) for layer in network.layers[1:]})
        self.inputs = {layer.name: _input_names(layer) for layer in network.layers[1:]}
        self.first, self.last = network.layers[0].name, network.layers[-1].name
        self.to(memory_format=torch.channels_last)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits of a batch."""
        outputs = {self.first: images}
        for name, part in self.parts.items():
            outputs[name] = part(*(outputs[other] for other in self.inputs[name]))
        return outputs[self.last]


def set_threads(threads: int) -> None:
    """Set how many threads an operation may use."""
    torch.set_num_threads(threads)


def unknown_layers(network: keras.Model) -> list[str]:
    """Return the kinds of layers of `network` that this module cannot convert."""
    return sorted({_kind(layer) for layer in network.layers[1:]} - CONVERTERS.keys())


def train_epoch(
    network: Network,
    images: np.ndarray,
    labels: np.ndarray,
    params: TrainParams,
    dtype: str,
    after_batch: Callable[[int, dict[str, float]], None],
) -> None:
    """Train on all images once, in random order.

    Args:
        network: is changed.
        images: uint8 (n, height, width, channels).
        labels: int (n,).
        params: batch size, learning rate, weight decay of kernels, label smoothing and seed.
        dtype: float32, or bfloat16 by autocast.
        after_batch: called with the number of each batch, from 0, and its loss.
    """
    network.train()
    optimizer = _optimizer(network, params)
    loss_function = nn.CrossEntropyLoss(label_smoothing=params.label_smoothing)
    order = np.random.default_rng(params.seed).permutation(len(images))
    for batch, start in enumerate(range(0, len(images), params.batch_size)):
        rows = order[start : start + params.batch_size]
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16"):
            logits = network(to_inputs(images[rows]))
            loss = loss_function(logits, torch.from_numpy(labels[rows].astype(np.int64)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        after_batch(batch, {"loss": loss.item()})


def to_inputs(images: np.ndarray) -> torch.Tensor:
    """Return uint8 (n, height, width, channels) as float32 (n, channels, height, width), in channels-last order."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float()


def _optimizer(network: Network, params: TrainParams) -> torch.optim.Optimizer:
    kernels = [weight for weight in network.parameters() if weight.ndim > 1]
    others = [weight for weight in network.parameters() if weight.ndim == 1]
    groups = [{"params": kernels, "weight_decay": params.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=params.learning_rate, momentum=MOMENTUM, nesterov=True)


def _kind(layer: keras.Layer) -> str:
    return type(layer).__name__


def _input_names(layer: keras.Layer) -> list[str]:
    tensors = layer.input if isinstance(layer.input, list) else [layer.input]
    return [tensor._keras_history.operation.name for tensor in tensors]


class _Function(nn.Module):
    """A function as a layer."""

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.function(*inputs)


def _convolution(layer: keras.layers.Conv2D) -> nn.Module:
    channels, filters = layer.kernel.shape[-2:]
    convolution = nn.Conv2d(
        channels, filters, layer.kernel_size, layer.strides, padding=layer.padding, bias=layer.use_bias
    )
    kernel, *bias = layer.get_weights()
    return _set_weights(convolution, [kernel.transpose(3, 2, 0, 1), *bias])


def _normalization(layer: keras.layers.BatchNormalization) -> nn.Module:
    normalization = nn.BatchNorm2d(layer.gamma.shape[0], layer.epsilon, momentum=1 - layer.momentum)
    scale, offset, mean, variance = layer.get_weights()
    normalization.running_mean, normalization.running_var = torch.from_numpy(mean), torch.from_numpy(variance)
    return _set_weights(normalization, [scale, offset])


def _dense(layer: keras.layers.Dense) -> nn.Module:
    kernel, bias = layer.get_weights()
    return _set_weights(nn.Linear(*kernel.shape), [kernel.T, bias])


def _set_weights(module: nn.Module, values: list[np.ndarray]) -> nn.Module:
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), values, strict=True):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
    return module


CONVERTERS: dict[str, Callable[[keras.Layer], nn.Module]] = {
    "Rescaling": lambda layer: _Function(lambda images: images * layer.scale + layer.offset),
    "Conv2D": _convolution,
    "BatchNormalization": _normalization,
    "ReLU": lambda layer: nn.ReLU(inplace=True),
    "MaxPooling2D": lambda layer: nn.MaxPool2d(layer.pool_size, layer.strides),
    "GlobalAveragePooling2D": lambda layer: _Function(lambda maps: maps.mean((2, 3))),
    "Dropout": lambda layer: nn.Dropout(layer.rate),
    "Add": lambda layer: _Function(torch.add),
    "Dense": _dense,
}
"""The function that makes a layer of PyTorch, by the kind of the Keras layer."""
