"""What tests of several modules share."""

import pytest


@pytest.fixture(scope="session")
def deterministic():
    """Keras as the stages set it up. TensorFlow takes its number of threads once a process."""
    from emotion.runtime import set_up

    set_up(threads=2, seed=1)
