"""The network of a training, for its three uses: to be saved, to be trained, and to be evaluated after each epoch."""

from dataclasses import dataclass

import keras

from emotion.core.params import TrainParams
from emotion.networks import registry
from emotion.networks.inference_size import resize_inside
from emotion.training.acceleration.training_network import to_training_network
from emotion.training.objective import compile_network
from emotion.training.precision import dtype_policy, resolve_precision
from emotion.training.pretrained import Pretrained, copy_weights
from emotion.training.training_data import TrainingData


@dataclass(frozen=True)
class TrainingNetworks:
    """Three networks with the same weights in the same order.

    Attributes:
        stock: what is saved: stock layers in float32, which resize images to `train.inference_size` inside.
        training: what is trained: faster layers, in the precision of the training.
        evaluation: what is evaluated: `training` itself, or a copy that resizes images as `stock` does. Compiled.
    """

    stock: keras.Model
    training: keras.Model
    evaluation: keras.Model


def build_networks(
    data: TrainingData, classes: int, params: TrainParams, pretrained: Pretrained, *, any_size: bool
) -> TrainingNetworks:
    """Build the networks, with random weights, or with those of the network to start from.

    Args:
        data: has the size and channels of the images.
        classes: how many classes there are.
        params: name the architecture, the precision and the inference size.
        pretrained: has the network to start from, if any.
        any_size: whether the network in training gets images of several sizes.

    Raises:
        InputError: the architecture does not fit the images, the classes or the network to start from.
    """
    network = registry.build(params.architecture, data.size, data.channels, classes)
    copy_weights(pretrained, network, params)
    stock = to_inference_network(network, data.size, params)
    resizes = any_size or params.inference_size is not None
    training = _build_training_network(None if resizes else data.size, data.channels, classes, params)
    training.set_weights(stock.get_weights())
    evaluation = to_inference_network(training, data.size, params)
    compile_network(evaluation, params, classes)
    return TrainingNetworks(stock, training, evaluation)


def to_inference_network(network: keras.Model, size: int, params: TrainParams) -> keras.Model:
    """Return `network` as it reads images of `size` pixels once it is trained; weights are copied."""
    return network if params.inference_size is None else resize_inside(network, size, params.inference_size)


def _build_training_network(size: int | None, channels: int, classes: int, params: TrainParams) -> keras.Model:
    with dtype_policy(resolve_precision(params.precision)):
        return to_training_network(registry.build(params.architecture, size, channels, classes))
