"""A command that is killed at any moment leaves no half file under a name that counts, and all files of before."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.app.writing import COMMANDS, NEED_KERAS, ROOT, fill, read_files

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT) if sys.platform != "win32" else ()
MANY = 50

REPRODUCIBLE = [name for name in COMMANDS if name not in ("video", "webcam")]
"""The commands that write the same bytes each time. The table of a video stands for its frames."""

CHANGED = {"preset": "params.yaml"}
"""The files of before that a command changes."""


@pytest.mark.medium
@pytest.mark.parametrize("command", [name for name in REPRODUCIBLE if name not in NEED_KERAS])
def test_a_kill_leaves_all_files_whole(command, tmp_path, clip, model, talk):
    check_kills(command, tmp_path, len(SIGNALS), clip, model, talk)


@pytest.mark.tf
@pytest.mark.parametrize("command", NEED_KERAS)
def test_a_kill_of_what_loads_keras_leaves_all_files_whole(command, tmp_path, keras_model):
    check_kills(command, tmp_path, len(SIGNALS), keras_model)


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize("command", REPRODUCIBLE)
def test_many_kills_leave_all_files_whole(command, tmp_path, clip, model, talk, keras_model):
    check_kills(command, tmp_path, MANY, clip, model, talk, keras_model)


def check_kills(command: str, folder: Path, kills: int, *files: Path) -> None:
    whole = folder / "whole"
    whole.mkdir()
    fill(whole, *files)
    before = read_files(whole)
    started = time.monotonic()
    start(command, whole).wait()
    seconds = time.monotonic() - started
    after = read_files(whole)
    assert after != before, "the command wrote nothing"
    moments = random.Random(command)
    for number in range(kills):
        killed = folder / str(number)
        killed.mkdir()
        fill(killed, *files)
        # Most writes are near the end.
        kill(start(command, killed), SIGNALS[number % len(SIGNALS)], seconds * moments.uniform(0.5, 1.0))
        # Those names say that a file is not whole.
        left = {name: content for name, content in read_files(killed).items() if ".partial" not in name}
        assert set(before) <= set(left)
        for name, content in left.items():
            assert content == after[name] or (name in before and content == before[name]), name
            assert content == before.get(name, content) or name == CHANGED.get(command), name


def start(command: str, folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", "from emotion.app.cli import main; main()", *COMMANDS[command].split()],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill(process: "subprocess.Popen[bytes]", number: int, seconds: float) -> None:
    """Send a signal after `seconds`, unless the process has ended; wait for its end."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        process.wait(timeout=60)
