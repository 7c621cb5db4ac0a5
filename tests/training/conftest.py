"""What the tests of training share as a fixture."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from emotion.training.training_data import TrainingData


@pytest.fixture(scope="session")
def data(deterministic) -> "TrainingData":
    """A training set to be learned by heart or not at all, and an unrelated validation set."""
    # Imported here: with TensorFlow, this takes seconds that unit tests have no need of.
    from emotion.training.training_data import TrainingData
    from tests.training.makers import make_noise

    return TrainingData(*make_noise(32, seed=1), *make_noise(24, seed=2))
