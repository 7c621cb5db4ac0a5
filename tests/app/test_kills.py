"""A command that is killed at any moment leaves no half file under a name that counts, and all files of before."""

from pathlib import Path

import pytest

from tests.app.killing import FEW, MANY, check_kills
from tests.app.writing import COMMANDS, NEED_KERAS, fill

REPRODUCIBLE = [name for name in COMMANDS if name not in ("video", "webcam")]
"""The commands that write the same bytes each time. The table of a video stands for its frames."""

CHANGED = {"preset": ["params.yaml"], "labels apply": ["params.yaml"]}
"""The files of before that a command changes."""


@pytest.mark.medium
@pytest.mark.parametrize("command", [name for name in REPRODUCIBLE if name not in NEED_KERAS])
def test_a_kill_leaves_all_files_whole(command, tmp_path, clip, model, talk):
    check(command, tmp_path, FEW, clip, model, talk)


@pytest.mark.tf
@pytest.mark.parametrize("command", NEED_KERAS)
def test_a_kill_of_what_loads_keras_leaves_all_files_whole(command, tmp_path, keras_model):
    check(command, tmp_path, FEW, keras_model)


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize("command", REPRODUCIBLE)
def test_many_kills_leave_all_files_whole(command, tmp_path, clip, model, talk, keras_model):
    check(command, tmp_path, MANY, clip, model, talk, keras_model)


def check(command: str, folder: Path, kills: int, *files: Path) -> None:
    check_kills(COMMANDS[command], lambda empty: fill(empty, *files), folder, kills, changes=CHANGED.get(command, ()))
