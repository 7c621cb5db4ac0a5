"""The weights of dlib's face recognition become a start for a training."""

import io
import tarfile

import keras
import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.networks import registry
from tools.face_weights import FILE, Convolution, read_content, read_convolutions, take_over

pytestmark = pytest.mark.tf

SIZE = 16


def integer(number: int) -> bytes:
    length = (number.bit_length() + 7) // 8
    return bytes([length]) + number.to_bytes(length, "little")


def tensor(name: bytes, values: np.ndarray) -> bytes:
    dimensions = b"".join(map(integer, (len(values), 1, 1, 1)))
    return bytes([len(name)]) + name + integer(2) + dimensions + values.astype("<f4").tobytes()


def convolution(generator: np.random.Generator, shape: tuple[int, ...]) -> Convolution:
    """Return random weights for a kernel (outputs, inputs, height, width)."""
    outputs = shape[0]
    kernel = (generator.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
    bias, offset = (generator.normal(size=outputs).astype(np.float32) for _ in range(2))
    return Convolution(kernel.reshape(-1), bias, generator.uniform(0.5, 1.5, outputs).astype(np.float32), offset)


def test_weights_are_read_in_their_order():
    generator = np.random.default_rng(1)
    wanted = [convolution(generator, shape) for shape in ((300, 3, 7, 7), (4, 300, 3, 3))]
    content = b"head" + b"".join(
        tensor(b"con_4", np.concatenate([one.kernel, one.bias]))
        + b"\x01\x03"
        + tensor(b"affine_", np.concatenate([one.factor, one.offset]))
        for one in wanted
    )
    first, second = read_convolutions(content)
    for values, expected in zip(second, wanted[1], strict=True):
        np.testing.assert_array_equal(values, expected)
    image = generator.uniform(0, 255, (3, 49)).astype(np.float32)
    before, now = (one.kernel.reshape(300, 3, 49) for one in (wanted[0], first))
    of_dlib = (image - np.array([[122.782], [117.001], [104.298]])) / 256
    expected = (before * of_dlib).sum(axis=(1, 2)) + wanted[0].bias
    np.testing.assert_allclose((now * (image / 127.5 - 1)).sum(axis=(1, 2)) + first.bias, expected, atol=1e-5)


@pytest.fixture(scope="module")
def taken_over(deterministic):
    """Return a network, the weights that it took over, and images."""
    generator = np.random.default_rng(1)
    network = registry.build("face_residual", SIZE, 1, 2)
    kernels = [layer.kernel.shape for layer in convolutions(network) if max(layer.kernel_size) > 1]
    shapes = [(outputs, inputs if inputs > 1 else 3, height, width) for height, width, inputs, outputs in kernels]
    weights = [convolution(generator, shape) for shape in shapes]
    images = generator.integers(0, 256, (8, SIZE, SIZE, 1), np.uint8)
    take_over(network, weights, images)
    return network, weights, images


def convolutions(network: keras.Model) -> list[keras.layers.Conv2D]:
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]


def test_the_first_layer_gives_what_dlib_gives(taken_over):
    """Each channel is convolved, scaled and moved; a gray image counts for all three colors."""
    network, weights, images = taken_over
    first = weights[0]
    stem = next(layer for layer in network.layers if isinstance(layer, keras.layers.ReLU))
    enlarged = keras.Model(network.input, convolutions(network)[0].input).predict(images, verbose=0)
    kernel = first.kernel.reshape(32, 3, 7, 7).transpose(2, 3, 1, 0)
    convolved = keras.ops.conv(np.repeat(enlarged, 3, axis=3), kernel, strides=2, padding="same")
    expected = np.maximum((np.asarray(convolved) + first.bias) * first.factor + first.offset, 0)
    np.testing.assert_allclose(keras.Model(network.input, stem.output).predict(images, verbose=0), expected, atol=1e-4)


def test_normalizations_know_the_images_that_they_were_measured_on(taken_over):
    """In training, they give what they give later, so a training starts where dlib's ended."""
    network, _, images = taken_over
    body = keras.Model(network.input, network.layers[-3].output)
    later = body.predict(images, verbose=0)
    assert later.std() > 0.01
    np.testing.assert_allclose(body(images, training=True), later, rtol=1e-2, atol=1e-2 * later.std())
    norms = [np.linalg.norm(layer.get_weights()[0]) / np.sqrt(layer.filters) for layer in convolutions(network)]
    np.testing.assert_allclose(norms, 1, rtol=1e-5)


def archive_of(name: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return content.getvalue()


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("x.tar.gz", b"no archive", "x.tar.gz cannot be read"),
        ("x.tar.gz", archive_of("a/other.dat"), f"x.tar.gz has no {FILE}"),
        ("x.tar.gz", archive_of(f"a/{FILE}"), f"x.tar.gz: its {FILE} is another file"),
        ("x.dat", b"", "x.dat: its .* is another file"),
        ("missing.dat", None, "missing.dat cannot be read"),
    ],
    ids=["no archive", "another member", "another model", "another file", "no file"],  # archives have their time
)
def test_another_file_is_refused(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_content(tmp_path / name)
