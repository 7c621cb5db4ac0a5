"""Muon: orthogonal steps for the kernels of convolutions, stock SGD for everything else. And the learning rate."""

import keras
import numpy as np
import pytest

from emotion.networks import registry
from emotion.training.optimizers import Muon, WarmUp
from tests.training.makers import make_params

pytestmark = pytest.mark.tf

RATE = 0.03


@pytest.fixture
def kernel():
    return keras.Variable(np.random.default_rng(1).standard_normal((3, 3, 8, 16)), dtype="float32", name="kernel")


def singular_values(kernel):
    return np.linalg.svd(np.reshape(kernel, (-1, kernel.shape[-1])), compute_uv=False)


@pytest.mark.parametrize("shape", [(3, 3, 8, 16), (1, 1, 8, 32), (1, 1, 16, 16)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_step_is_nearly_orthogonal_whatever_its_size(shape, scale):
    momentum = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    values = singular_values(keras.ops.convert_to_numpy(Muon(RATE, 0.0, "float32")._orthogonal(scale * momentum)))
    before = singular_values(momentum)
    assert before.max() / np.median(before) > 1.3
    assert np.median(values) > 0.6
    assert values.max() < 1.3


def test_a_step_of_zero_moves_nothing(kernel):
    optimizer = Muon(RATE, 0.0, "float32")
    optimizer.apply([keras.ops.zeros(kernel.shape)], [kernel])
    before = kernel.numpy().copy()
    optimizer.apply([keras.ops.zeros(kernel.shape)], [kernel])
    np.testing.assert_allclose(kernel.numpy(), before, rtol=1e-6)


def test_kernels_keep_one_norm_and_move_by_the_learning_rate(kernel):
    optimizer = Muon(RATE, 0.5, "float32")
    kernel.assign(kernel * (4 / np.linalg.norm(kernel.numpy())))
    before = kernel.numpy().copy()
    optimizer.build([kernel])
    optimizer.apply([np.random.default_rng(2).standard_normal(kernel.shape).astype(np.float32)])
    assert np.linalg.norm(kernel.numpy()) == pytest.approx(4, rel=1e-5)  # of 16 outputs
    assert np.linalg.norm(kernel.numpy() - before) == pytest.approx(4 * RATE, rel=0.2)


def test_all_but_kernels_inside_the_network_move_as_under_sgd():
    network = registry.build("mini_xception", 24, 1, 3)
    taken = [weight for weight in network.trainable_weights if Muon.takes(weight)]
    assert {weight.name for weight in taken} == {"kernel", "pointwise_kernel"}
    assert all(len(weight.shape) == 4 and weight.shape[2] > 1 for weight in taken)
    rest = [weight for weight in network.trainable_weights if not Muon.takes(weight)]
    twins = [keras.Variable(weight.numpy(), dtype="float32") for weight in rest]
    generator = np.random.default_rng(3)
    muon, sgd = Muon(RATE, 0.5, "float32"), keras.optimizers.SGD(RATE, 0.9, nesterov=True, weight_decay=0.5)
    for _ in range(2):
        gradients = [generator.standard_normal(weight.shape).astype(np.float32) for weight in rest]
        muon.apply(gradients, rest)
        sgd.apply(gradients, twins)
    assert all((weight.numpy() == twin.numpy()).all() for weight, twin in zip(rest, twins, strict=True))


def test_the_schedule_warms_up_and_falls_to_zero():
    params = make_params(epochs=10, warmup=0.2, learning_rate=1.0).train
    rates = [float(WarmUp(params, 5)(step)) for step in range(50)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1, abs=0.02)
    assert 9 <= rates.index(max(rates)) <= 10
    assert rates[-1] < 0.01
    assert rates[30] == pytest.approx(0.5, abs=0.01)  # halfway from step 10 to step 50
