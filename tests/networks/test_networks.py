"""Every network keeps the same promises: uint8 images in, probabilities out, stock layers only."""

import keras
import numpy as np
import pytest
from keras import layers

from emotion.core.errors import InputError
from emotion.networks import registry
from emotion.networks.cost import multiply_adds
from emotion.networks.registry import ANY_SIZE, ARCHITECTURES, BINARY, smallest_size
from emotion.training.acceleration.training_network import to_training_network
from tests.architectures import quickest_first

pytestmark = pytest.mark.tf

NAMES = sorted(ARCHITECTURES)

# Size, channels and classes as the network was first described; its parameters, and multiply-adds an image.
ORIGINALS = {
    "conv16_32_16": ((256, 3, 2), 3_696_625, 120_146_368),
    "conv32_64": ((48, 1, 2), 1_673_985, 10_392_768),
    "conv64_128": ((48, 1, 7), 9_515_783, 53_235_200),
    "conv64_128_256": ((48, 1, 7), 2_472_711, 54_707_968),
    "conv_dropout": ((48, 1, 7), 2_345_607, 77_326_464),
    "face_residual": ((48, 1, 7), 5_628_839, 139_273_984),
    "mini_xception": ((64, 1, 7), 58_423, 10_163_392),
    "residual": ((48, 1, 7), 1_518_759, 106_390_848),
    "residual_small": ((48, 1, 7), 171_159, 12_423_616),
    "residual_wide": ((48, 1, 7), 6_058_823, 424_233_600),
    "se_resnet": ((48, 1, 7), 1_541_733, 106_414_464),
    "vgg_bn": ((48, 1, 7), 1_176_359, 117_450_496),
}
SMALLEST = {
    "conv16_32_16": 22,
    "conv32_64": 10,
    "conv64_128": 4,
    "conv64_128_256": 22,
    "conv_dropout": 24,
    "face_residual": 1,
    "mini_xception": 5,
    "residual": 8,
    "residual_small": 8,
    "residual_wide": 8,
    "se_resnet": 8,
    "vgg_bn": 8,
}
SHAPES = [
    (name, size, channels, classes)
    for name in NAMES
    for size, channels, classes in [(48, 1, 7), (48, 1, 2), (50, 3, 2), (33, 3, 5)]
    if name not in BINARY or classes == 2
]


def images(size: int, channels: int, number: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (number, size, size, channels), dtype=np.uint8)


def predict(network: keras.Model, images: np.ndarray) -> np.ndarray:
    probabilities: np.ndarray = keras.ops.convert_to_numpy(network(images, training=False))
    return probabilities


def move_weights(network: keras.Model) -> None:
    """Change every weight a little, so that averages, scales and biases are none of 0 and 1."""
    generator = np.random.default_rng(1)
    network.set_weights([w * generator.uniform(0.9, 1.1, w.shape) + (w.ndim == 1) * 0.1 for w in network.get_weights()])


@pytest.fixture
def precision(request):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


both_precisions = pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"], indirect=True)


@pytest.fixture(scope="module", params=NAMES)
def network(request, deterministic):
    """Each network for two classes, which all of them take, with moved weights: the same ones in any order of tests."""
    keras.utils.set_random_seed(1)
    network = registry.build(request.param, 48, 1, 2)
    move_weights(network)
    return network


@pytest.mark.parametrize("name", NAMES)
def test_parameters_and_multiply_adds_are_the_stated_ones(name, deterministic):
    arguments, parameters, operations = ORIGINALS[name]
    network = registry.build(name, *arguments)
    assert (network.count_params(), multiply_adds(network)) == (parameters, operations)


def test_conv_dropout_has_fewer_parameters_for_five_classes():
    assert registry.build("conv_dropout", 48, 1, 5).count_params() == 2_343_557


@pytest.mark.parametrize(("name", "size", "channels", "classes"), SHAPES)
def test_images_become_probabilities(name, size, channels, classes, deterministic):
    network = registry.build(name, size, channels, classes)
    assert (network.name, network.input.name, network.input.dtype) == (name, "image", "uint8")
    assert network.input_shape == (None, size, size, channels)
    probabilities = predict(network, images(size, channels))
    assert (probabilities >= 0).all()
    assert (probabilities <= 1).all()
    if classes == 2:
        assert probabilities.shape == (3, 1)
        assert network.layers[-1].activation is keras.activations.sigmoid
    else:
        assert probabilities.shape == (3, classes)
        assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_scaling_is_inside(network):
    """Numbers 0 to 255 become numbers of size 1 in the first layer, whatever the network."""
    rescaling = next(layer for layer in network.layers if isinstance(layer, keras.layers.Rescaling))
    assert network.layers.index(rescaling) == 1
    scaled = np.asarray(rescaling(np.array([[[[0]], [[255]]]], np.uint8))).ravel()
    assert -1 <= scaled.min() <= 0
    assert scaled.max() == pytest.approx(1)


def test_layers_are_stock(network):
    assert {type(layer).__module__.split(".")[0] for layer in network.layers} == {"keras"}


def test_batch_normalization_is_of_maps(network):
    """The fused layer is for (n, height, width, channels) only."""
    normalizations = [layer for layer in network.layers if isinstance(layer, layers.BatchNormalization)]
    assert all(len(layer.input.shape) == 4 for layer in normalizations)


def test_plain_keras_loads_a_saved_network(network, tmp_path):
    network.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert (predict(loaded, images(48, 1)) == predict(network, images(48, 1))).all()


def test_the_training_network_predicts_the_same(network):
    training_network = to_training_network(network)
    assert [w.shape for w in training_network.weights] == [w.shape for w in network.weights]
    assert predict(training_network, images(48, 1)) == pytest.approx(predict(network, images(48, 1)), abs=1e-6)


@both_precisions
@pytest.mark.parametrize("name", quickest_first(NAMES))
def test_a_step_of_training_is_the_same_bits_each_time(name, precision, deterministic):
    weights = [_train_a_step(name) for _ in range(2)]
    assert all(np.isfinite(w).all() for w in weights[0])
    assert all((first == second).all() for first, second in zip(*weights, strict=True))


def _train_a_step(name: str) -> list[np.ndarray]:
    keras.utils.set_random_seed(1)
    network = to_training_network(registry.build(name, 32, 1, 2))
    before = network.get_weights()
    network.compile(keras.optimizers.SGD(0.01), "binary_crossentropy", run_eagerly=True)
    network.train_on_batch(images(32, 1, 8), np.arange(8).reshape(8, 1) % 2)
    after: list[np.ndarray] = network.get_weights()
    assert all((w != v).any() for w, v in zip(before, after, strict=True) if w.ndim > 1)
    return after


@both_precisions
@pytest.mark.parametrize("name", quickest_first(NAMES))
def test_probabilities_are_float32_in_every_precision(name, precision, deterministic):
    network = registry.build(name, 32, 1, 2)
    assert predict(network, images(32, 1)).dtype == np.float32
    assert network.output.dtype == "float32"
    assert network.layers[2].compute_dtype == precision.removeprefix("mixed_")


@pytest.mark.parametrize("name", quickest_first(sorted(ANY_SIZE)))
def test_networks_of_any_size_have_the_same_weights_at_each(name, deterministic):
    any_size, one_size = (registry.build(name, size, 1, 7) for size in (None, 48))
    assert [w.shape for w in any_size.weights] == [w.shape for w in one_size.weights]
    any_size.set_weights(one_size.get_weights())
    assert predict(any_size, images(48, 1)) == pytest.approx(predict(one_size, images(48, 1)), abs=1e-6)
    assert np.isfinite(predict(any_size, images(31, 1))).all()


@pytest.mark.parametrize("name", quickest_first(NAMES))
def test_the_smallest_images_work_and_smaller_ones_are_refused(name, deterministic):
    smallest = smallest_size(name, 1, 2)
    assert smallest == SMALLEST[name]
    assert np.isfinite(predict(registry.build(name, smallest, 1, 2), images(smallest, 1))).all()
    if smallest == 1:
        return
    message = rf"^features\.image_size: got {smallest - 1}, .*train\.architecture {name}; expected at least {smallest}$"
    with pytest.raises(InputError, match=message):
        registry.build(name, smallest - 1, 1, 2)


def test_a_wrong_number_of_classes_is_no_matter_of_size():
    with pytest.raises(ValueError, match="units"):
        registry.build("residual_small", 48, 1, 0)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match=f"got 'vgg', expected .*{', '.join(NAMES)}$"):
        registry.build("vgg", 48, 1, 7)


@pytest.mark.parametrize("name", sorted(BINARY))
def test_networks_for_two_classes_refuse_more(name):
    message = (
        rf"^train\.architecture: got {name}, .*labels\.scheme has 7; expected .*happy_sad.* or .*conv64_128, .*vgg_bn$"
    )
    with pytest.raises(InputError, match=message):
        registry.build(name, 48, 1, 7)


@pytest.mark.parametrize("name", sorted(ARCHITECTURES.keys() - ANY_SIZE))
def test_a_network_of_one_size_refuses_smaller_images_first(name):
    with pytest.raises(InputError, match=rf"train\.progressive_sizes: .*\b{name}\b"):
        registry.build(name, None, 1, 2)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.Conv2D(5, 3), 4 * 6 * 3 * 3 * 2 * 5),
        (layers.Conv2D(5, 3, padding="same"), 6 * 8 * 3 * 3 * 2 * 5),
        (layers.Conv2D(4, 3, strides=2, groups=2), 2 * 3 * 3 * 3 * 1 * 4),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), 4 * 6 * 3 * 3 * 2 * 2),
        (layers.SeparableConv2D(5, 3, padding="same"), 6 * 8 * (3 * 3 * 2 + 2 * 5)),
        (layers.SeparableConv2D(5, 3, strides=2, depth_multiplier=2), 2 * 3 * (3 * 3 * 2 * 2 + 4 * 5)),
        (layers.Dense(7), 6 * 8 * 2 * 7),
        (layers.BatchNormalization(), 0),
        (layers.MaxPooling2D(2), 0),
    ],
)
def test_multiply_adds_of_a_layer(layer, expected):
    assert multiply_adds(keras.Sequential([keras.Input((6, 8, 2)), layer])) == expected


def test_multiply_adds_of_layers_add_up():
    network = keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3)])
    assert multiply_adds(network) == 2 * 2 * 3 * 3 * 2 + 2 * 2 * 2 * 3


def test_multiply_adds_of_every_size_are_no_number():
    with pytest.raises(ValueError, match="residual_small takes images of every size"):
        multiply_adds(registry.build("residual_small", None, 1, 7))
