"""Export of a network as a TensorFlow Lite file, in float32, float16 or int8.

Every file takes uint8 images, gives float32 probabilities as the network does, and holds the metadata.
"""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emotion.core.files import atomic_path
from emotion.core.metadata import FIXED_TIME, METADATA_MEMBER, ModelMetadata, write_metadata
from emotion.runtimes.converters import check_backend, converting

if TYPE_CHECKING:  # at run time they would load TensorFlow
    import keras
    import tensorflow as tf

CALIBRATION_IMAGES = 200
"""Number of training images from which the ranges of int8 are chosen. More images give no better accuracy."""


def write_tflite(path: Path, content: bytes, metadata: ModelMetadata) -> None:
    """Write `content`, a TensorFlow Lite file, to `path`, followed by a zip archive with the metadata.

    TensorFlow Lite stores its own metadata in the same way.
    """
    whole = io.BytesIO(content)
    with zipfile.ZipFile(whole, "a") as archive:
        archive.writestr(zipfile.ZipInfo(METADATA_MEMBER, FIXED_TIME), write_metadata(metadata))
    with atomic_path(path) as temporary:
        temporary.write_bytes(whole.getvalue())


def to_float32_tflite(network: "keras.Model") -> bytes:
    """Return `network` as a TensorFlow Lite file that computes in float32.

    Raises:
        InputError: Keras runs on another backend than TensorFlow, or TensorFlow Lite lacks an operation of the network.
    """
    return _convert_tflite(network, lambda converter: None)


def to_float16_tflite(network: "keras.Model") -> bytes:
    """Return `network` as a TensorFlow Lite file half as large: weights in float16, computation in float32.

    Raises:
        InputError: as in `to_float32_tflite`.
    """

    def configure(converter: "tf.lite.TFLiteConverter") -> None:
        import tensorflow as tf

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]

    return _convert_tflite(network, configure)


def to_int8_tflite(network: "keras.Model", images: np.ndarray) -> bytes:
    """Return `network` as a TensorFlow Lite file a quarter as large, which computes with integers.

    Only the last step uses floats: it turns integers into probabilities, which are multiples of 1/256.

    Args:
        network: takes uint8 (n, size, size, channels).
        images: uint8 (n, size, size, channels) of the training split. The ranges of the layers are chosen from them.

    Raises:
        InputError: as in `to_float32_tflite`.
    """
    chosen = choose_images(images).astype(np.float32)

    def configure(converter: "tf.lite.TFLiteConverter") -> None:
        import tensorflow as tf

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[None]] for image in chosen)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type, converter.inference_output_type = tf.uint8, tf.float32

    return _convert_tflite(_with_float_input(network), configure)


def choose_images(images: np.ndarray) -> np.ndarray:
    """Return CALIBRATION_IMAGES of `images`, uint8 (n, size, size, channels), evenly spread; all where there are fewer.

    One pixel of the first image becomes black and one white. The range of the input is taken from these images. It
    must be 0 to 255, so that uint8 values pass unchanged.
    """
    positions = np.linspace(0, len(images) - 1, min(len(images), CALIBRATION_IMAGES)).round().astype(np.int64)
    chosen = np.array(images[positions])
    chosen[0, 0, 0], chosen[0, -1, -1] = 0, 255
    return chosen


def _with_float_input(network: "keras.Model") -> "keras.Model":
    """Return `network` for float32 images with the same values. A cast from uint8 would be computed in floats."""
    import keras

    images = keras.Input(network.input_shape[1:], dtype="float32", name="image")
    clone = keras.models.clone_model(network, input_tensors=images)
    clone.set_weights(network.get_weights())
    return clone


def _convert_tflite(network: "keras.Model", configure: Callable[["tf.lite.TFLiteConverter"], None]) -> bytes:
    """Return `network` as a TensorFlow Lite file, after `configure` has set the converter's options."""
    check_backend()
    import tensorflow as tf

    with converting("TensorFlow Lite"):
        converter = tf.lite.TFLiteConverter.from_keras_model(network)
        configure(converter)
        content: bytes = converter.convert()
    return content
