"""What tests of several modules share."""

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says more of the machine than of the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(scope="session", autouse=True)
def deterministic():
    """Keras as the stages set it up, before any test: TensorFlow takes its number of threads once a process."""
    from emotion.runtime import set_up

    set_up(threads=2, seed=1)
