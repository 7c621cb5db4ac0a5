"""Training small and reading large: Touvron et al. 2019, "Fixing the train-test resolution discrepancy".

Augmentation crops, turns and samples images anew, so faces in training are larger and less sharp than in unchanged
images. A network that enlarges its images before it reads them gets faces as it did in training.
"""

import keras
from keras import layers, ops


def resize_inside(network: keras.Model, size: int, larger: int) -> keras.Model:
    """Return `network` for images of `size` that it enlarges inside, bilinearly; weights are copied.

    Args:
        network: scales the values of its images first, and has one of the architectures for every size.
        size: height and width in pixels of the images that it is to take.
        larger: height and width in pixels of what its convolutions are to get.
    """

    def call(layer, *args, **kwargs):
        hidden = layer(*args, **kwargs)
        if not isinstance(layer, layers.Rescaling):
            return hidden
        # Not keras.layers.Resizing, after which a call without `training` is one in training to the layers behind it.
        return ops.image.resize(hidden, (larger, larger))

    images = keras.Input((size, size, network.input_shape[-1]), dtype="uint8", name="image")
    resizing = keras.models.clone_model(network, input_tensors=images, call_function=call)
    resizing.set_weights(network.get_weights())
    return resizing
