"""The guard of a worker's commands: nothing outlives the process that asked for them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emotion.app.sweep import guard

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no groups of processes")


def start(*arguments):
    command = [sys.executable, "-I", guard.__file__, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("status", [0, 5])
def test_the_status_is_that_of_the_command(status):
    with start("run", "sh", "-c", f"exit {status}") as process:
        assert process.wait(20) == status


def test_a_closed_input_ends_the_command_with_its_children():
    with start("run", "sh", "-c", "sleep 60 & echo $! $$; wait") as process:
        started = [int(word) for word in process.stdout.readline().split()]
        assert all(map(is_running, started))
        process.stdin.close()
        assert process.wait(20) == 1
    end = time.monotonic() + 20
    while any(map(is_running, started)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(map(is_running, started))


def test_a_closed_input_removes_a_folder(tmp_path):
    folder = tmp_path / "folder"
    for number in range(2000):
        (folder / str(number)).mkdir(parents=True)
    with start("remove", str(folder)) as process:
        assert folder.is_dir()
        process.stdin.close()
        assert process.wait(20) == 0
    assert not folder.exists()


def test_a_folder_goes_with_a_killed_process(tmp_path):
    script = "import sys, time; from pathlib import Path; from emotion.app.sweep.on_worker import temporary_folder\n"
    script += "with temporary_folder(Path(sys.argv[1])) as folder: print(folder, flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        assert folder.is_dir()
        process.kill()
    end = time.monotonic() + 20
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not folder.exists()
