"""The guard of a worker's commands: nothing outlives the process that asked for them."""

import os
import subprocess
import sys
import time

import pytest

from emotion.app.sweep import guard

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no groups of processes")


def start(folder, script):
    command = [sys.executable, "-I", guard.__file__, str(folder), "sh", "-c", script]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("status", [0, 5])
def test_the_status_is_that_of_the_command_and_the_folder_stays(tmp_path, status):
    with start(tmp_path, f"exit {status}") as process:
        assert process.wait(20) == status
    assert tmp_path.is_dir()


def test_a_closed_input_ends_the_command_with_its_children_and_removes_the_folder(tmp_path):
    folder = tmp_path / "folder"
    for number in range(2000):
        (folder / str(number)).mkdir(parents=True)
    with start(folder, "sleep 60 & echo $! $$; wait") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        started = [int(word) for word in process.stdout.readline().split()]
        assert all(map(is_running, started))
        process.stdin.close()
        assert process.wait(20) == 1
    assert not folder.exists()
    end = time.monotonic() + 20
    while any(map(is_running, started)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(map(is_running, started))
