"""Ranks know their place, and those of this machine begin and end together: with stand-ins that load no JAX."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emotion.core.errors import InputError
from emotion.parallel import ranks
from emotion.parallel.ranks import Rank, check_processes, find_place, find_rank, first_node

SLURM = {
    "SLURM_JOB_ID": "4097",
    "SLURM_STEP_NODELIST": "node[007-009],other",
    "SLURM_STEP_NUM_TASKS": "3",
    "SLURM_PROCID": "2",
}

RANK = """
import os, signal, sys, time
from pathlib import Path
from emotion.core.errors import InputError, run_command
from emotion.parallel import ranks

def main():
    number = os.environ["EMOTION_RANK"]
    Path(f"rank{number}").write_text(str(os.getpid()))
    while not Path("rank0").exists():  # it is there before another one fails
        time.sleep(0.05)
    print(f"rank {number} speaks")
    BODY

ranks.run_rank(lambda: run_command(main))
"""
SLEEP = "time.sleep(60)"
SOON = 10
"""Seconds within which all must have ended."""


@pytest.fixture(autouse=True)
def _no_place(monkeypatch):
    for name in (*SLURM, ranks.COORDINATOR, ranks.NUMBER, ranks.PARENT):
        monkeypatch.delenv(name, raising=False)


def place(monkeypatch, coordinator="10.0.0.1:4711", number="1"):
    monkeypatch.setenv(ranks.COORDINATOR, coordinator)
    monkeypatch.setenv(ranks.NUMBER, number)


def test_a_process_that_nobody_placed_is_no_rank():
    assert find_rank(2) is None
    assert not ranks.is_rank()
    assert not ranks.is_follower()


def test_our_variables_place_a_rank(monkeypatch):
    place(monkeypatch)
    assert find_rank(2) == Rank(1, 2, "10.0.0.1:4711")
    assert ranks.is_follower()
    place(monkeypatch, number="0")
    assert ranks.is_rank()
    assert not ranks.is_follower()


@pytest.mark.parametrize(
    "environment, named",
    [
        ({"EMOTION_RANK": "1"}, "EMOTION_COORDINATOR"),
        ({"EMOTION_COORDINATOR": "a:1"}, "EMOTION_RANK"),
        ({"EMOTION_COORDINATOR": "a", "EMOTION_RANK": "1"}, "EMOTION_COORDINATOR"),
        ({"EMOTION_COORDINATOR": "a:0", "EMOTION_RANK": "1"}, "EMOTION_COORDINATOR"),
        ({"EMOTION_COORDINATOR": "a:65536", "EMOTION_RANK": "1"}, "EMOTION_COORDINATOR"),
        ({"EMOTION_COORDINATOR": "a:1", "EMOTION_RANK": "-1"}, "EMOTION_RANK"),
    ],
)
def test_a_place_that_is_incomplete_or_wrong_is_named(environment, named):
    with pytest.raises(InputError, match=f"^{named}"):
        find_place(environment)


@pytest.mark.parametrize("processes", [2, 3])
def test_a_number_beyond_the_processes_is_refused(processes, monkeypatch):
    place(monkeypatch, number=str(processes))
    with pytest.raises(InputError, match=rf"rank {processes}\b.*train\.processes is {processes}\b"):
        find_rank(processes)


def test_a_rank_of_a_training_by_one_process_is_refused(monkeypatch):
    """It would train on JAX, to other bits than those of one process, under the same params."""
    place(monkeypatch, number="0")
    with pytest.raises(InputError, match=r"EMOTION_RANK is set, but train\.processes is 1\b"):
        find_rank(1)


def test_srun_places_a_rank():
    assert find_place(SLURM) == ("node007:61441", 2)


@pytest.mark.parametrize("absent", SLURM)
def test_a_process_of_slurm_without_srun_is_no_rank(absent):
    assert find_place({name: value for name, value in SLURM.items() if name != absent}) is None
    assert find_place(SLURM | {"SLURM_STEP_NUM_TASKS": "1"}) is None


def test_slurm_with_another_number_of_tasks_is_refused(monkeypatch):
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    assert find_rank(3) == Rank(2, 3, "node007:61441")
    with pytest.raises(InputError, match=r"3 tasks.*train\.processes is 4"):
        find_rank(4)
    assert find_rank(1) is None, "a training by one process is none of SLURM's business"


@pytest.mark.parametrize(
    "nodes, first",
    [("node1", "node1"), ("node1,b", "node1"), ("n[01-04]", "n01"), ("n[1,3-5],b", "n1"), ("a-b[7]", "a-b7")],
)
def test_the_first_node_is_found(nodes, first):
    assert first_node(nodes) == first


def test_a_batch_that_does_not_divide_is_refused_with_one_that_does():
    check_processes(2, 64)
    with pytest.raises(InputError, match=r"train\.batch_size: got 64.*multiple of 3, such as 63"):
        check_processes(3, 64)
    with pytest.raises(InputError, match="such as 8"):
        check_processes(8, 3)


def test_missing_jax_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr(ranks, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"JAX.*\[cluster\].*train\.processes to 1"):
        check_processes(2, 64)


def test_a_rank_waits_until_the_first_one_listens(monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    place(monkeypatch, address)
    servers = []

    def listen_then(seconds):
        servers.append(socket.create_server(("127.0.0.1", int(address.split(":")[1]))))

    monkeypatch.setattr(time, "sleep", listen_then)
    ranks.wait_for_coordinator()
    servers[0].close()
    assert capsys.readouterr().out.count(f"rank 1 waits for rank 0 at {address} (Connection refused)") == 1


def test_an_address_that_is_taken_or_of_another_machine_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(InputError, match=rf"cannot listen at {address}.*free port"):
            ranks.check_free(address)
    ranks.check_free(address)
    with pytest.raises(InputError, match=r"cannot listen at 192\.0\.2\.1:4711"):
        ranks.check_free("192.0.2.1:4711")


# From here on with processes.


def start(folder: Path, body: str, processes: int = 2) -> "subprocess.Popen[str]":
    """Start a process that runs stand-ins for ranks in `folder`, whose code has `body`."""
    (folder / "stand_in.py").write_text(RANK.replace("BODY", body), encoding="utf-8")
    command = (
        "from emotion.core.errors import run_command; from emotion.parallel.ranks import run_ranks;"
        f"run_command(lambda: run_ranks('stand_in', {processes}))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(Path(__file__).parents[2])])}
    return subprocess.Popen(
        [sys.executable, "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def started(folder: Path, processes: int = 2) -> list[int]:
    """Return the process ids of the ranks once all run."""
    files = [folder / f"rank{number}" for number in range(processes)]
    until = time.monotonic() + 30
    while not all(file.is_file() and file.read_text() for file in files):
        assert time.monotonic() < until, "the ranks did not start"
        time.sleep(0.05)
    return [int(file.read_text()) for file in files]


def all_end(numbers: list[int]) -> bool:
    """Return whether all processes with these ids end soon."""
    until = time.monotonic() + SOON
    while any(Path(f"/proc/{number}").exists() for number in numbers) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(Path(f"/proc/{number}").exists() for number in numbers)


@pytest.mark.medium
def test_ranks_run_to_their_end_and_the_first_one_is_heard(tmp_path):
    out, errors = start(tmp_path, "print(number, file=sys.stderr)", 3).communicate(timeout=60)
    assert out.splitlines() == ["rank 0 speaks"]
    assert errors.splitlines() == ["0"]
    assert len(started(tmp_path, 3)) == 3


@pytest.mark.medium
@pytest.mark.parametrize(
    "fault, said",
    [
        ("raise InputError('no such file')", r"rank 1 of 2 ended with status 1: error: no such file\. "),
        ("raise ZeroDivisionError('by zero')", r"rank 1 of 2 ended with status 1: ZeroDivisionError: by zero\. "),
        ("os.kill(os.getpid(), signal.SIGKILL)", r"rank 1 of 2 was ended by SIGKILL\. "),
    ],
)
def test_the_end_of_one_rank_is_named_and_ends_the_others(fault, said, tmp_path):
    process = start(tmp_path, f"if number == '1': {fault}\n    {SLEEP}")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert re.search(said, errors), errors
    assert ("Run the command again" in errors) == ("SIGKILL" in errors), "an error of its own would come again"
    assert all_end(started(tmp_path))


@pytest.mark.medium
def test_the_rank_that_failed_first_is_named_and_not_one_that_lost_it(tmp_path):
    body = "time.sleep(int(number))\n    raise (ranks.LostRankError('lost') if number == '0' else InputError('cause'))"
    _, errors = start(tmp_path, body).communicate(timeout=30)
    assert "rank 1 of 2 ended with status 1: error: cause" in errors


@pytest.mark.medium
@pytest.mark.skipif(sys.platform != "linux", reason="on other systems a killed parent cannot end them")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_the_end_of_the_parent_ends_all(number, tmp_path):
    process = start(tmp_path, SLEEP)
    numbers = started(tmp_path)
    process.send_signal(number)
    process.communicate(timeout=SOON)
    assert process.returncode != 0
    assert all_end(numbers)


@pytest.mark.medium
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_a_rank_ends_all(number, tmp_path):
    process = start(tmp_path, SLEEP)
    numbers = started(tmp_path)
    os.kill(numbers[1], number)
    _, errors = process.communicate(timeout=SOON)
    assert f"rank 1 of 2 was ended by {number.name}" in errors
    assert all_end(numbers)
