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

PATIENCE = 4
"""Runs for each kill until one comes before the end, where the machine's speed changes."""

SETTINGS = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "CUDA_VISIBLE_DEVICES": ""}
"""Variables of the commands. In a clone they run its own code."""

Prepare = Callable[[Path], object]
"""A function that makes a folder with all that a command reads."""


def check_kills(
    command: str,
    prepare: Prepare,
    folder: Path,
    kills: int,
    *,
    changes: Collection[str] = (),
    work: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Run `command` once to its end, and `kills` times to a random moment; compare the files.

    Args:
        command: the arguments of `emotion`. It writes the same bytes each time.
        prepare: makes the folder that the command runs in.
        folder: an empty folder.
        kills: their number. The signals take turns.
        changes: the files of before that the command changes.
        work: the folder of what the command needs to go on after a kill. It then has to end as if there was no kill.
        environment: the variables of the command.
    """
    # The first run reads from the disk, and takes longer than the others.
    for whole in folder / "first", folder / "second":
        prepare(whole)
        before = read_files(whole)
        started = time.monotonic()
        assert start(command, whole, environment).wait() == 0
        seconds = time.monotonic() - started
    after = read_files(whole)
    assert after != before, "the command wrote nothing"
    moments, interrupted = random.Random(command), 0
    for number in range(kills * PATIENCE):
        if number >= kills and interrupted:
            break
        killed = folder / "killed"
        prepare(killed)
        # Most writes are near the end.
        started = time.monotonic()
        process = start(command, killed, environment)
        if kill(process, SIGNALS[number % FEW], seconds * moments.uniform(0.5, 1.0)):
            interrupted += 1
        else:  # the machine was slower in the run that was timed
            seconds = time.monotonic() - started
        left = {name: content for name, content in read_files(killed).items() if is_whole(name, work)}
        assert set(before) <= set(left)
        for name, content in left.items():
            assert content in (after.get(name), before.get(name)), name
            assert content == before.get(name, content) or name in changes, name
        if work and number == kills - 1:
            assert start(command, killed, environment).wait() == 0
            assert read_files(killed) == after
        shutil.rmtree(killed)
    assert interrupted or not kills, "each command had ended before"


def is_whole(name: str, work: str | None) -> bool:
    """Return whether a file of this name counts as whole."""
    return ".partial" not in name and not (work and name.startswith(work))


def start(command: str, folder: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", "from emotion.app.cli import main; main()", *command.split()],
        cwd=folder,
        env={**environment, **SETTINGS},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill(process: "subprocess.Popen[bytes]", number: int, seconds: float) -> bool:
    """Send a signal after `seconds` and wait for the end; return whether the process had not ended before."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        process.wait(timeout=60)
        return True
    return False
