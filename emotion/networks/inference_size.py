"""An inference size above the training size: Touvron et al. 2019, "Fixing the train-test resolution discrepancy".

Augmentation crops, turns and resamples images. So faces in training are larger and less sharp than in unchanged
images. A network that enlarges its input images gets faces like those in training.
"""

from typing import Any

import keras
from keras import layers, ops


def resize_inside(network: keras.Model, size: int, larger: int) -> keras.Model:
    """Return a copy of `network` that takes images of `size` and enlarges them bilinearly to `larger`.

    Args:
        network: one of the architectures in ANY_SIZE of the registry. Its first layer is a Rescaling.
        size: height and width of the input images, in pixels.
        larger: height and width of the enlarged images that the convolutions get, in pixels.
    """

    def call(layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
        hidden = layer(*args, **kwargs)
        if not isinstance(layer, layers.Rescaling):
            return hidden
        # Not keras.layers.Resizing: behind it, layers that are called without `training` behave as in training.
        return ops.image.resize(hidden, (larger, larger))

    images = keras.Input((size, size, network.input_shape[-1]), dtype="uint8", name="image")
    resizing = keras.models.clone_model(network, input_tensors=images, call_function=call)
    resizing.set_weights(network.get_weights())
    return resizing
