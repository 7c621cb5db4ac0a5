"""What the tests of `emotion video` share."""

from functools import partial

import pytest


@pytest.fixture
def emotion_video(model, run_emotion):
    """Run `emotion video` in this process; return exit status, standard output and standard error."""
    return partial(run_emotion, "video", "--model", model)
