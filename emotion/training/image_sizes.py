"""At which sizes a network trains and reads its images: smaller ones in the first epochs, larger ones once trained."""

import numpy as np

from emotion.core.errors import InputError
from emotion.core.params import TrainParams
from emotion.data.images import to_input
from emotion.networks import registry
from emotion.training.training_data import TrainingData


def epoch_sizes(params: TrainParams, size: int) -> list[int]:
    """Return the size of the images in each epoch, of which the last ones have images of `size` pixels.

    Raises:
        InputError: `progressive_sizes` has more epochs than there are, or sizes that are not smaller.
    """
    first = [smaller for smaller, epochs in params.progressive_sizes for _ in range(epochs)]
    if len(first) > params.epochs or any(smaller >= size for smaller in first):
        raise InputError(
            f"train.progressive_sizes: got {params.progressive_sizes}, expected pairs [size, epochs] with sizes below "
            f"features.image_size ({size}) and at most train.epochs ({params.epochs}) epochs together"
        )
    return first + [size] * (params.epochs - len(first))


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
            f"train.progressive_sizes: got {params.progressive_sizes}, expected sizes of at least {smallest}: of "
            f"smaller images the layers of {params.architecture} leave nothing"
        )


def resize_images(images: np.ndarray, size: int, color: str) -> np.ndarray:
    """Return images, uint8 (n, height, width, channels), as (n, size, size, channels)."""
    if images.shape[1] == size:
        return images
    return np.stack([to_input(image, size, color) for image in images])
