"""At which sizes a network trains and reads its images: smaller ones in the first epochs, larger ones once trained."""

import numpy as np

from emotion.core.errors import InputError
from emotion.core.params import TrainParams
from emotion.data.images import to_input
from emotion.networks import registry
from emotion.training.training_data import TrainingData


def epoch_sizes(params: TrainParams, size: int) -> list[int]:
    """Return the size of the images in each epoch; the last one, and more as a rule, has images of `size` pixels.

    The shares of `progressive_sizes` are added up, and each sum is rounded to the nearest epoch.

    Raises:
        InputError: `progressive_sizes` has sizes that are not smaller.
    """
    sizes: list[int] = []
    together = 0.0
    for smaller, share in params.progressive_sizes:
        if smaller >= size:
            raise InputError(
                f"train.progressive_sizes: got a size of {smaller}, expected less than features.image_size ({size})"
            )
        together += share
        end = min(round(together * params.epochs), params.epochs - 1)
        sizes += [smaller] * (end - len(sizes))
    return sizes + [size] * (params.epochs - len(sizes))


def check_inference_size(params: TrainParams, size: int) -> None:
    """Raise InputError where `inference_size` does not fit the architecture, or images of `size` pixels."""
    if params.inference_size is None:
        return
    if params.architecture in registry.ARCHITECTURES.keys() - registry.ANY_SIZE:
        raise InputError(
            f"train.inference_size: {params.architecture} takes images of one size only; expected null or one of the "
            f"architectures {', '.join(sorted(registry.ANY_SIZE))}"
        )
    if params.inference_size <= size:
        raise InputError(
            f"train.inference_size: got {params.inference_size}, expected null or more than features.image_size "
            f"({size})"
        )


def check_smallest_size(sizes: list[int], data: TrainingData, classes: int, params: TrainParams) -> None:
    """Raise InputError where the layers of the network leave nothing of the smallest images of the first epochs."""
    if min(sizes) == data.size:
        return
    smallest = registry.smallest_size(params.architecture, data.channels, classes)
    if min(sizes) < smallest:
        raise InputError(
            f"train.progressive_sizes: got a size of {min(sizes)}, expected sizes of at least {smallest}: of "
            f"smaller images the layers of {params.architecture} leave nothing"
        )


def resize_images(images: np.ndarray, size: int, color: str) -> np.ndarray:
    """Return images, uint8 (n, height, width, channels), as (n, size, size, channels)."""
    if images.shape[1] == size:
        return images
    return np.stack([to_input(image, size, color) for image in images])
