"""The distribution of experiments over workers: one at a time on each, and once more elsewhere after a failure."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from unittest.mock import Mock

import pytest

from emotion.app.sweep.job import Experiment, Job, Outcome, Places
from emotion.app.sweep.sweep import Sweep
from emotion.core.errors import InputError
from emotion.parallel.cluster import ClusterError, connect
from emotion.parallel.piece import PieceFailure, WrongEnvironmentError

pytestmark = pytest.mark.medium

distributed = pytest.importorskip("distributed")

PLACES = Places("git", {}, None, (), "data", {}, "3")

tries: dict[str, list[str]] = defaultdict(list)
"""The workers that tried each experiment. The workers are threads of this process."""

running: dict[str, int] = defaultdict(int)
lock = threading.Lock()


def make_jobs(*names: str) -> list[Job]:
    return [Job(Experiment(name, name, "baseline", "commit"), PLACES) for name in names]


def run(job: Job) -> Outcome:
    """Do what the name of the experiment says."""
    worker, name = distributed.get_worker().address, job.experiment.name
    with lock:
        tries[name].append(worker)
        running[worker] += 1
        assert running[worker] == 1, "two experiments on one worker"
    time.sleep(0.2)
    with lock:
        running[worker] -= 1
        first_worker = next(iter(tries.values()))[0]
    if name == "fails" or (name == "fails once" and len(tries[name]) == 1):
        raise InputError("no such luck")
    if name.startswith("wrong everywhere") or (name.startswith("wrong") and worker == first_worker):
        raise WrongEnvironmentError("it has no git")
    return Outcome(worker, 0.2, 0.5)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler with two workers of three threads."""
    own = {"protocol": "tcp", "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(n_workers=2, threads_per_worker=3, processes=False, **own) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def sweep(address):
    """Returns the results of experiments by name, and the lines for the user."""
    tries.clear()
    running.clear()

    def follow(*names):
        told: list[str] = []
        with connect(address) as client:
            results = Sweep(client, address, make_jobs(*names), told.append, run).results()
            return {job.experiment.name: result for job, result in results}, told

    return follow


def test_every_experiment_ends_and_all_workers_work(sweep):
    names = [f"good {number}" for number in range(6)]
    results, told = sweep(*names)
    assert set(results) == set(names)
    assert all(isinstance(result, Outcome) for result in results.values())
    assert len({worker for (worker,) in tries.values()}) == 2
    assert told == []


def test_a_failed_experiment_is_tried_once_more_elsewhere_and_the_others_go_on(sweep):
    results, told = sweep("fails", "good 1", "good 2")
    failure = results.pop("fails")
    assert isinstance(failure, PieceFailure)
    assert str(failure.error) == "no such luck"
    assert len(set(tries["fails"])) == 2
    assert all(isinstance(result, Outcome) for result in results.values())
    assert [line.partition(":")[0] for line in told] == ["fails"]


def test_an_experiment_that_fails_once_ends_well(sweep):
    results, _ = sweep("fails once")
    assert isinstance(results["fails once"], Outcome)
    assert len(set(tries["fails once"])) == 2


def test_a_worker_that_cannot_be_used_gets_no_more_experiments(sweep):
    results, told = sweep(*(f"wrong {number}" for number in range(4)))
    assert all(isinstance(result, Outcome) for result in results.values())
    assert len(results) == 4
    assert "it has no git" in told[0]


def test_a_sweep_ends_where_no_worker_can_be_used(sweep):
    with pytest.raises(ClusterError, match="it has no git"):
        sweep("wrong everywhere")


def test_what_is_under_way_is_canceled_at_the_end(address, sweep):
    with connect(address) as client:
        results = Sweep(client, address, make_jobs(*"abcdef"), print, run).results()
        next(results)
        results.close()  # type: ignore[attr-defined]
        time.sleep(1)
        assert sum(map(len, client.processing().values())) == 0
    assert len(tries) < 6


def test_the_user_is_told_once_where_the_workers_are_lost(monkeypatch):
    states: list[dict[str, object]] = [{"tcp://a:1": {}}, {"tcp://a:1": {}}, *({} for _ in range(8))]

    def describe_scheduler(n_workers: int) -> dict[str, object]:
        if not states:
            raise OSError("the end")
        return {"workers": states.pop(0)}

    client = Mock(scheduler_info=describe_scheduler)
    client.processing.return_value = {}
    monkeypatch.setattr("emotion.app.sweep.sweep.NOTICE_SECONDS", 0)
    monkeypatch.setattr(Sweep, "_wait", lambda self: ())
    told: list[str] = []
    with pytest.raises(ClusterError, match="the end"):
        list(Sweep(client, "tcp://b:2", make_jobs("one"), told.append, run).results())
    assert told == ["waiting: no worker is connected to tcp://b:2"]


def test_a_scheduler_that_is_lost_while_a_result_is_fetched_ends_the_sweep_with_a_sentence():
    closed = distributed.client.ClosedClientError("Client is closed")
    client = Mock(scheduler_info=Mock(return_value={}), cancel=Mock(side_effect=closed))
    with pytest.raises(ClusterError, match="the scheduler at tcp://b:2 is lost"):
        list(Sweep(client, "tcp://b:2", make_jobs("one"), print, run).results())
