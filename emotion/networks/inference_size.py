"""Training small and reading large: Touvron et al. 2019, "Fixing the train-test resolution discrepancy".

What augmentation crops, turns and samples anew shows faces larger, and less sharp, than an image that nothing changed.
A network that enlarges what it reads sees them as it did in training.
"""

import keras
from keras import layers, ops


def enlarge_inside(network: keras.Model, size: int, larger: int) -> keras.Model:
    """Return `network` for images of `size` that it enlarges inside, bilinearly; weights are copied.

    Args:
        network: scales the values of its images first, and has one of the architectures for every size.
        size: pixels of a side of what it is to take.
        larger: pixels of a side of what its convolutions are to see.
    """

    def call(layer, *args, **kwargs):
        hidden = layer(*args, **kwargs)
        if not isinstance(layer, layers.Rescaling):
            return hidden
        # Not keras.layers.Resizing, after which a call without `training` is one in training to the layers behind it.
        return ops.image.resize(hidden, (larger, larger))

    images = keras.Input((size, size, network.input_shape[-1]), dtype="uint8", name="image")
    enlarging = keras.models.clone_model(network, input_tensors=images, call_function=call)
    enlarging.set_weights(network.get_weights())
    return enlarging
