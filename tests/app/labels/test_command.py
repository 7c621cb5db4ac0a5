"""The arguments of `emotion labels`."""

import pytest

from emotion.app.labels import command


@pytest.mark.parametrize("folds", ["1", "0", "21", "two", "2.5"])
def test_folds_are_a_few(run_emotion, folds):
    status, _, err = run_emotion("labels", "audit", "--folds", folds)
    assert status == 2
    assert f"got '{folds}', expected a whole number from {command.FEWEST_FOLDS} to {command.MOST_FOLDS}" in err


def test_a_command_is_needed(run_emotion):
    status, _, err = run_emotion("labels")
    assert status == 2
    assert "COMMAND" in err
