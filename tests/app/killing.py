"""Kills of commands at random moments: what is left under a name that counts is whole, and all files of before stay."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from tests.app.writing import ROOT, read_files

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT) if sys.platform != "win32" else ()
FEW, MANY = len(SIGNALS), 50

Prepare = Callable[[Path], object]
"""A function that makes a folder with all that a command reads."""


def check_kills(
    command: str, prepare: Prepare, folder: Path, kills: int, *, changes: Collection[str] = (), environment=os.environ
) -> None:
    """Run `command` once to its end, and `kills` times to a random moment; compare the files.

    Args:
        command: the arguments of `emotion`. It writes the same bytes each time.
        prepare: makes the folder that the command runs in.
        folder: an empty folder.
        kills: their number. The signals take turns.
        changes: the files of before that the command changes.
        environment: the variables of the command.
    """
    whole = folder / "whole"
    prepare(whole)
    before = read_files(whole)
    started = time.monotonic()
    assert start(command, whole, environment).wait() == 0
    seconds = time.monotonic() - started
    after = read_files(whole)
    assert after != before, "the command wrote nothing"
    moments = random.Random(command)
    for number in range(kills):
        killed = folder / "killed"
        prepare(killed)
        # Most writes are near the end.
        kill(start(command, killed, environment), SIGNALS[number % FEW], seconds * moments.uniform(0.5, 1.0))
        # Those names say that a file is not whole.
        left = {name: content for name, content in read_files(killed).items() if ".partial" not in name}
        assert set(before) <= set(left)
        for name, content in left.items():
            assert content in (after.get(name), before.get(name)), name
            assert content == before.get(name, content) or name in changes, name
        shutil.rmtree(killed)


def start(command: str, folder: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", "from emotion.app.cli import main; main()", *command.split()],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""},
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
