"""Less weight for frequent classes, once a network is trained."""

import keras
import numpy as np
import pytest

from emotion.networks import registry
from emotion.training.logit_adjustment import adjust_logits
from emotion.training.loop import train
from tests.training.makers import make_params

pytestmark = [pytest.mark.usefixtures("tiny"), pytest.mark.tf]

FREQUENCIES = np.array([0.5, 0.3, 0.2])


@pytest.fixture
def images():
    return np.random.default_rng(1).integers(0, 256, (4, 24, 24, 1), np.uint8)


@pytest.mark.parametrize("architecture", ["residual_small", "mini_xception"])
@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_probabilities_are_divided_by_a_power_of_the_frequencies(architecture, strength, images):
    network = registry.build(architecture, 24, 1, 3)
    before = network.predict(images, verbose=0)
    adjust_logits(network, np.tile(FREQUENCIES, (10, 1)).astype(np.float32), strength)
    expected = before / FREQUENCIES**strength
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network.predict(images, verbose=0), expected, rtol=1e-4)


def test_the_odds_of_two_classes_are_divided(images):
    network = registry.build("residual_small", 24, 1, 2)
    before = network.predict(images, verbose=0)
    adjust_logits(network, np.full((10, 1), 0.8, np.float32), 0.5)
    after = network.predict(images, verbose=0)
    np.testing.assert_allclose(after / (1 - after), before / (1 - before) / 2, rtol=1e-4)


def test_a_training_ends_with_the_adjustment(data, tmp_path):
    """The epochs are those without it, and so is the choice of the best one."""
    plain, adjusted = (
        train(data, 3, make_params(logit_adjustment=strength), tmp_path / str(strength)) for strength in (0.0, 0.7)
    )
    assert plain.history == adjusted.history
    frequencies = np.bincount(data.y_train, minlength=3) / len(data.y_train)
    expected = plain.model.predict(data.x_val, verbose=0) / frequencies**0.7
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(adjusted.model.predict(data.x_val, verbose=0), expected, rtol=1e-3)
    assert keras.ops.any(expected != plain.model.predict(data.x_val, verbose=0))
