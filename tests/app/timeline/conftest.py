"""What the tests of `emotion timeline` share."""

from functools import partial

import pytest


@pytest.fixture
def emotion_timeline(run_emotion):
    """Run `emotion timeline` in this process; return exit status, standard output and standard error."""
    return partial(run_emotion, "timeline")
