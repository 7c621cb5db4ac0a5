"""emotion.parallel: a map over batches gives the same in one process and in several, and errors come through."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emotion.core.errors import InputError
from emotion.parallel import batches
from emotion.parallel.batches import FEWEST_BATCHES, WAITING_PER_WORKER, batched, map_batches


def double(batch: list[int]) -> list[int]:
    return [2 * number for number in batch]


def process_of(batch: list[int]) -> int:
    return os.getpid()


def fail_on_50(batch: list[int]) -> list[int]:
    if 50 in batch:
        raise InputError("50 is refused")
    return batch


@pytest.fixture(params=[1, 2])
def workers(request, monkeypatch) -> int:
    monkeypatch.setattr(batches, "_count_workers", lambda count: request.param)
    return int(request.param)


def test_batches_have_one_size_but_the_last():
    assert list(batched(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(batched([], 3)) == []


def test_results_come_in_order(workers):
    results = list(map_batches(double, batched(range(95), 2)))
    assert [number for batch in results for number in batch] == list(range(0, 190, 2))


def test_no_batches_give_no_results(workers):
    assert list(map_batches(double, [])) == []


def test_an_error_in_a_batch_is_raised_here(workers):
    with pytest.raises(InputError, match="50 is refused"):
        list(map_batches(fail_on_50, batched(range(100), 2)))


def test_an_error_of_the_iterator_is_raised_here(workers):
    def broken() -> Iterator[list[int]]:
        yield from batched(range(100), 2)
        raise InputError("the archive is damaged")

    with pytest.raises(InputError, match="the archive is damaged"):
        list(map_batches(double, broken()))


def test_only_a_few_batches_are_read_ahead(monkeypatch):
    monkeypatch.setattr(batches, "_count_workers", lambda count: 2)
    taken = []

    def endless() -> Iterator[list[int]]:
        while True:
            taken.append(0)
            yield [1]

    results = map_batches(double, endless())
    assert next(results) == [2]
    assert len(taken) <= max(FEWEST_BATCHES, 2 * WAITING_PER_WORKER) + 1
    results.close()  # type: ignore[attr-defined]


def test_few_batches_stay_in_this_process():
    assert set(map_batches(process_of, batched(range(FEWEST_BATCHES - 1), 1))) == {os.getpid()}


SEVERAL = """
import os
from emotion.parallel import batches
batches.available_cores = lambda: 2
print(len({*batches.map_batches(abs, range(-3, 0))}), batches._count_workers(batches.FEWEST_BATCHES))
import jax
print(batches._count_workers(batches.FEWEST_BATCHES))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks")
def test_processes_are_forked_unless_a_package_has_threads_with_locks(tmp_path):
    (tmp_path / "jax.py").touch()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = subprocess.run([sys.executable, "-c", SEVERAL], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "2", "1"]


ENDLESS = """
import itertools, os, sys, time
from emotion.core.errors import run_command
from emotion.parallel import batches
def wait(number):
    os.write(1, b'%d\\n' % os.getpid())
    time.sleep(600)
batches._count_workers = lambda count: 2
run_command(lambda: list(batches.map_batches(wait, itertools.count())))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_processes_end_with_their_parent(end):
    command = [sys.executable, "-c", ENDLESS]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        assert parent.stdout is not None
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        # A terminal sends Ctrl-C to the whole group.
        os.killpg(parent.pid, end) if end == signal.SIGINT else parent.send_signal(end)
        _, errors = parent.communicate(timeout=60)
    except BaseException:
        os.killpg(parent.pid, signal.SIGKILL)
        raise
    assert parent.returncode == (130 if end == signal.SIGINT else -end)
    assert errors.decode() == ("interrupted\n" if end == signal.SIGINT else "")
    deadline = time.monotonic() + 60
    while any(map(is_running, workers)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")
