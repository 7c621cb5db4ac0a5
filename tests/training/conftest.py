"""What the tests of training share as a fixture."""

import pytest

from emotion.training.training_data import TrainingData
from tests.training.makers import make_noise


@pytest.fixture(scope="session")
def data(deterministic):
    """A training set to be learned by heart or not at all, and an unrelated validation set."""
    return TrainingData(*make_noise(32, seed=1), *make_noise(24, seed=2))
