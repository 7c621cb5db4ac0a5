"""emotion.parallel.cluster: a map on a scheduler and workers, as processes on this machine."""

import importlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

import distributed
import pytest

from benchmarks.cluster_processes import ROOT, Cluster, running_cluster
from emotion.core.errors import InputError
from emotion.core.stores import parse_address, write_store
from emotion.parallel import cluster, piece
from emotion.parallel.address import SCHEDULER, scheduler_address, use_cluster
from emotion.parallel.batches import batched, map_batches
from emotion.parallel.cluster import WAITING_PER_THREAD, ClusterError, find_obstacle, map_on_cluster
from emotion.parallel.piece import CODE, environment, find_difference
from tests.parallel import cluster_functions as functions

pytestmark = pytest.mark.medium

NUMBERS = list(range(95))
DOUBLED = [2 * number for number in NUMBERS]


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture
def address(two_workers):
    return two_workers.address


def flat(batches):
    return [value for batch in batches for value in batch]


def test_the_results_are_those_of_this_machine_alone_in_order(address, monkeypatch):
    alone = list(map_batches(functions.double, batched(NUMBERS, 2)))
    monkeypatch.setenv(SCHEDULER, address)
    assert list(map_batches(functions.double, batched(NUMBERS, 2))) == alone
    assert flat(alone) == DOUBLED


def test_both_workers_take_part_and_this_process_does_not(two_workers):
    processes = set(map_on_cluster(two_workers.address, functions.process_of, range(20)))
    assert processes == {worker.pid for worker in two_workers.workers}


def test_no_pieces_give_no_results(address):
    assert list(map_on_cluster(address, functions.double, [])) == []


def test_a_scheduler_file_is_an_address(two_workers, tmp_path):
    file = two_workers._scheduler_file
    assert flat(map_on_cluster(str(file), functions.double, [NUMBERS])) == DOUBLED


def test_the_address_may_stand_in_dask_s_configuration(address, monkeypatch):
    import dask

    with dask.config.set({"scheduler-address": address}):
        assert flat(map_on_cluster("dask", functions.double, [NUMBERS])) == DOUBLED


def test_a_map_within_a_piece_stays_on_the_worker(address, monkeypatch):
    monkeypatch.setenv(SCHEDULER, address)
    assert flat(map_batches(functions.map_inside, batched(NUMBERS, 20))) == DOUBLED


def test_few_pieces_are_under_way_however_slowly_results_are_taken(address):
    taken = []

    def pieces() -> Iterator[list[int]]:
        for number in count():
            taken.append(number)
            yield [number]

    results = map_on_cluster(address, functions.double, pieces())
    assert next(results) == [0]
    time.sleep(0.3)
    assert len(taken) <= 2 * WAITING_PER_THREAD + 1
    results.close()


def test_pieces_that_wait_are_canceled_with_the_iterator(address, tmp_path):
    results = map_on_cluster(address, partial(functions.note_run, tmp_path), range(100))
    assert next(results) == 0
    results.close()
    time.sleep(0.3)
    begun = len(list(tmp_path.iterdir()))
    time.sleep(0.5)
    assert len(list(tmp_path.iterdir())) == begun <= 2 * WAITING_PER_THREAD + 1


def test_an_error_of_the_iterator_is_raised_here(address):
    def broken() -> Iterator[list[int]]:
        yield [1]
        raise InputError("the archive is damaged")

    with pytest.raises(InputError, match="the archive is damaged"):
        list(map_on_cluster(address, functions.double, broken()))


def test_a_piece_that_fails_on_one_worker_is_done_by_the_other(two_workers):
    faulty = two_workers.workers[0].pid
    assert list(map_on_cluster(two_workers.address, partial(functions.fail_in, faulty), range(20))) == list(range(20))


def test_a_piece_that_fails_on_both_is_named(address):
    name = lambda batch: f"the numbers {batch[0]} to {batch[-1]}"  # noqa: E731
    with pytest.raises(ClusterError, match=r"the numbers 50 to 59 failed on the worker tcp://127.*50 is not possible"):
        list(map_on_cluster(address, functions.fail_on_50, batched(NUMBERS, 10), name=name))
    with pytest.raises(ClusterError, match="piece 6 of the work"):
        list(map_on_cluster(address, functions.fail_on_50, batched(NUMBERS, 10)))


@pytest.mark.parametrize(
    "function, reason",
    [(functions.fail_on_50, "ZeroDivisionError: 50 is not possible"), (functions.refuse_50, "50 is refused; write 51")],
)
def test_no_result_takes_the_place_of_a_piece_that_fails_without_an_end_of_its_workers(address, function, reason):
    with pytest.raises(ClusterError, match=f"piece 6 of the work failed on the worker tcp.*{reason}"):
        list(map_on_cluster(address, function, batched(NUMBERS, 10), recover=lambda *_: pytest.fail("recovered")))


def test_a_full_disk_ends_the_map_and_is_no_fault_of_the_piece(address):
    with pytest.raises(ClusterError, match="the disk is full there"):
        list(map_on_cluster(address, functions.fill_disk_on_50, batched(NUMBERS, 10), recover=lambda *_: []))


def test_a_worker_that_has_used_its_memory_goes_on(tmp_path):
    with running_cluster(tmp_path, 0) as started:
        started.add_worker("--memory-limit", "320MB")  # without a nanny, which would end it
        started.wait_for_workers(1)
        pack = piece.make_packer(functions.hold_memory)
        with distributed.Client(started.address, set_as_default=False) as client:
            futures = [client.submit(piece.RUN_PACKED, pack(number), pure=False) for number in range(3)]
            assert [future.result(timeout=20) for future in futures] == [0, 1, 2]


def test_a_file_that_no_machine_can_read_has_the_result_of_this_machine_alone(address, tmp_path):
    missing = str(tmp_path / "gone.png")
    alone = functions.length_of(missing)
    assert list(map_on_cluster(address, functions.length_of, [missing])) == [alone]


def test_a_file_that_only_workers_lack_is_named(address, tmp_path, monkeypatch):
    (tmp_path / "here.png").write_bytes(b"12")
    # As seen from the workers, which run elsewhere, this path leads nowhere.
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ClusterError, match=r"here\.png cannot be read there \(No such file"):
        list(map_on_cluster(address, functions.length_of, ["here.png"]))


def test_a_file_of_a_store_that_only_workers_may_not_read_is_named(address, memory):
    here, gone = "memory://bucket/here.png", "memory://bucket/gone.png"
    write_store(parse_address(here), b"12")
    assert list(map_on_cluster(address, functions.read_where_allowed, [gone])) == [gone]
    with pytest.raises(ClusterError, match=r"here\.png cannot be read there \(Permission denied\)"):
        list(map_on_cluster(address, functions.read_where_allowed, [here]))


@pytest.mark.parametrize(
    ("name", "found", "expected"),
    [("numpy", "1.0", "numpy"), (CODE, "0000", CODE), ("Python", "3.10", "Python 3.1")],
)
def test_a_worker_with_another_version_is_named_at_once(address, monkeypatch, name, found, expected):
    monkeypatch.setattr(piece, "environment", lambda: {**environment(), name: found})
    began = time.monotonic()
    with pytest.raises(ClusterError, match=rf"the worker tcp://127\S+ cannot be used: .*{expected}"):
        list(map_on_cluster(address, functions.double, batched(NUMBERS, 2)))
    assert time.monotonic() - began < 10


def test_a_worker_may_lack_a_runtime_that_its_work_does_not_need():
    here = {"numpy": "2.4", "tensorflow": "2.21"}
    assert find_difference({"numpy": "2.4", "tensorflow": ""}, here) == ""
    assert find_difference({"numpy": "2.4", "tensorflow": "2.20"}, here) == "tensorflow 2.20 in place of 2.21"
    assert find_difference({"tensorflow": "2.21"}, here) == "numpy (not installed) in place of 2.4"


def test_another_version_of_dask_is_named(address, monkeypatch):
    cluster.connect(address).close()
    monkeypatch.setattr("distributed.versions._version_cached", lambda name: "2000.1.0")
    with pytest.raises(ClusterError, match=r"the scheduler at \S+ has dask 2\S+, and this machine 2000\.1\.0"):
        cluster.connect(address)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("tcp://127.0.0.1:9", "no scheduler of Dask answers at tcp://127.0.0.1:9"),
        ("tcp://no.such.host.invalid:8786", "no scheduler of Dask answers"),
        ("localhost", "expected one such as tcp://host:8786"),
        ("http://127.0.0.1:9", "no scheduler of Dask answers"),
        ("missing.json", "the scheduler file missing.json does not exist"),
        ("dask", "Dask's configuration names no scheduler"),
    ],
)
def test_a_wrong_address_is_a_sentence_within_ten_seconds(wrong, reason, monkeypatch):
    assert cluster.CONNECTING_SECONDS <= 8
    monkeypatch.setattr(cluster, "CONNECTING_SECONDS", 1)
    began = time.monotonic()
    with pytest.raises(ClusterError, match=re.escape(reason)):
        map_on_cluster(wrong, functions.double, [[1]])
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", (8).to_bytes(8, "little")])
def test_a_server_of_another_kind_is_a_sentence(reply, monkeypatch):
    """It stays silent, answers in another protocol, or as Dask begins, and then keeps the connection."""
    monkeypatch.setattr(cluster, "CONNECTING_SECONDS", 1)
    taken = []

    def serve(server: socket.socket) -> None:
        while True:
            try:
                taken.append(server.accept()[0])
            except OSError:
                return
            taken[-1].sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=[server])
        thread.start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        began = time.monotonic()
        try:
            with pytest.raises(ClusterError, match=f"no scheduler of Dask answers at {address}"):
                map_on_cluster(address, functions.double, [[1]])
            assert time.monotonic() - began < 5
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in taken:
                connection.close()


def test_without_certificates_a_command_ends_at_once_with_one_sentence(tmp_path):
    code = (
        "import sys; from emotion.parallel.cluster import ClusterError, connect\n"
        "try: connect('tls://127.0.0.1:9')\n"
        "except ClusterError as error: sys.exit(str(error))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DASK_CONFIG": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=9)
    assert "no scheduler of Dask answers at tls://127.0.0.1:9" in ended.stderr
    assert "the section `tls` of Dask's configuration" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_missing_dask_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match="needs the package dask"):
        map_on_cluster("tcp://127.0.0.1:9", functions.double, [[1]])


def test_the_address_comes_from_the_environment_or_the_option(monkeypatch):
    monkeypatch.delenv(SCHEDULER, raising=False)
    use_cluster(None)
    assert scheduler_address() is None
    monkeypatch.setenv(SCHEDULER, " ")
    assert scheduler_address() is None
    use_cluster("tcp://host:8786")
    assert scheduler_address() == "tcp://host:8786"


def test_a_killed_worker_changes_no_result(tmp_path):
    with running_cluster(tmp_path) as started:
        results = map_on_cluster(started.address, functions.double_slowly, batched(NUMBERS, 2))
        first = next(results)
        os.killpg(started.workers[0].pid, signal.SIGKILL)
        assert [*first, *flat(results)] == DOUBLED


def test_a_piece_that_ends_its_workers_is_named_and_its_neighbors_are_not(tmp_path):
    with running_cluster(tmp_path, 0, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as started:
        for _ in range(2):
            started.add_worker("--nanny")
        started.wait_for_workers(2)
        results = map_on_cluster(
            started.address, functions.end_worker_on_50, batched(NUMBERS, 10), recover=lambda batch, error: [str(error)]
        )
        values = flat(results)
    assert "each worker that took it ended" in values[50]
    assert values[:50] + values[51:] == [*range(50), *range(60, 95)]


def test_a_worker_that_does_not_answer_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "CONNECTING_SECONDS", 2)
    monkeypatch.setattr(cluster, "NOTICE_SECONDS", 2)
    with running_cluster(tmp_path, 1) as started:
        results = map_on_cluster(started.address, functions.double_slowly, batched(range(8), 2))
        first = next(results)
        (worker,) = started.workers
        (address,) = started.worker_addresses().values()
        os.kill(worker.pid, signal.SIGSTOP)
        try:
            with pytest.raises(ClusterError, match=rf"the worker {address} does not answer"):
                map_on_cluster(started.address, functions.double, [[1]])
            threading.Timer(7, os.kill, (worker.pid, signal.SIGCONT)).start()
            assert [*first, *flat(results)] == [2 * number for number in range(8)]
        finally:
            os.kill(worker.pid, signal.SIGCONT)
    assert capsys.readouterr().err.count(f"the worker {address} does not answer") == 1


def test_an_obstacle_is_told():
    state = {"last_seen": 1.0, "status": "running"}
    assert find_obstacle({"tcp://a:1": state}, {}) == ""
    assert "tcp://a:1 does not answer" in find_obstacle({"tcp://a:1": state}, {"tcp://a:1": state})
    assert "paused the worker tcp://a:1" in find_obstacle({"tcp://a:1": state | {"status": "paused"}}, {})
    assert find_obstacle({}, {}) == "no worker is connected"


def test_a_lost_scheduler_ends_the_map(tmp_path):
    with running_cluster(tmp_path, 1) as started:
        results = map_on_cluster(started.address, functions.double_slowly, batched(range(2000), 2))
        next(results)
        os.killpg(started.scheduler.pid, signal.SIGKILL)
        began = time.monotonic()
        with pytest.raises(ClusterError, match=r"the scheduler at \S+ is lost"):
            list(results)
    assert time.monotonic() - began < 10


def test_a_scheduler_that_is_lost_while_a_result_is_in_use_ends_the_map_with_a_sentence(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(cluster, "CONNECTING_SECONDS", 1)
    with running_cluster(tmp_path, 1) as started:
        results = map_on_cluster(started.address, functions.double_slowly, batched(range(2000), 2))
        next(results)
        os.killpg(started.scheduler.pid, signal.SIGKILL)
        time.sleep(4)  # the client has closed itself by then
        with pytest.raises(ClusterError, match=r"the scheduler at \S+ is lost"):
            list(results)
    assert "ERROR" not in capfd.readouterr().err


def test_a_module_that_a_worker_lacks_is_named_and_the_worker_stays(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "here/only_here.py").write_text("def double(number):\n    return 2 * number\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "here")
    double = importlib.import_module("only_here").double
    with running_cluster(tmp_path, 0, PYTHONPATH=f"{ROOT}:{tmp_path / 'here'}") as started:
        worker = started.add_worker(PYTHONPATH=str(ROOT))
        started.wait_for_workers(1)
        with pytest.raises(ClusterError, match=r"worker tcp\S+ cannot be used: the module only_here is not installed"):
            list(map_on_cluster(started.address, double, [1]))
        assert list(map_on_cluster(started.address, functions.double, [[1]])) == [[2]]
        assert worker.poll() is None


@pytest.mark.slow
def test_a_piece_that_fills_the_memory_of_workers_is_named(tmp_path):
    with running_cluster(tmp_path, 0) as started:
        for _ in range(2):
            started.add_worker("--nanny", "--memory-limit", "600MB")
        started.wait_for_workers(2)
        results = map_on_cluster(
            started.address, functions.fill_memory, batched(NUMBERS, 10), recover=lambda batch, error: [str(error)]
        )
        values = flat(results)
    assert len(values) == 86
    assert "for want of memory" in values[50]


def test_without_dask_in_use_it_is_not_imported():
    from subprocess import run

    code = (
        "import sys; from tests.parallel import cluster_functions as f; from emotion.parallel.batches import *; "
        "assert list(map_batches(f.double, [[1]])) == [[2]]; "
        "sys.exit(any(name in sys.modules for name in ('dask', 'distributed')))"
    )
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    environment.pop(SCHEDULER, None)
    assert run([sys.executable, "-c", code], cwd=root, env=environment).returncode == 0
