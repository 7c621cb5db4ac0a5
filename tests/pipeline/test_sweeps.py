"""`emotion sweep`: queued experiments on two workers, which share a bare repository and a folder with this clone."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipeline.project import BIN, ROOT, Project, cached_outputs, checksums, clone, set_up, share, stored
from tests.pipeline.test_experiments import experiments

pytest.importorskip("distributed")

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

WAIT_SECONDS = 120
END_SECONDS = 20

CODE = {"PYTHONPATH": str(ROOT), "EMOTION_SCHEDULER": ""}
"""The code of this working tree, for the machines of the cluster and for the command."""


@dataclass
class Cluster:
    """A scheduler and two workers, as processes of this machine."""

    address: str
    folder: Path
    workers: "list[subprocess.Popen[bytes]]"

    def clones(self) -> list[Path]:
        return list(self.folder.glob("*/dask-scratch-space/*/emotion-sweep/tmp*/clone"))


@pytest.fixture
def cluster(project, tmp_path) -> Iterator[Cluster]:
    environment = project.environment | CODE
    file = tmp_path / "scheduler.json"
    started = []

    def start(*arguments: str, name: str) -> "subprocess.Popen[bytes]":
        folder = tmp_path / name
        folder.mkdir()
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        started.append(process)
        return process

    own = ("--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file))
    start("scheduler", *own, "--port", "0", name="scheduler")
    wait_for(file.exists)
    workers = [
        start("worker", *own, "--no-nanny", "--nthreads", "2", "--local-directory", ".", name=f"worker{number}")
        for number in (1, 2)
    ]
    yield Cluster(str(file), tmp_path, workers)
    for process in reversed(started):  # a worker that loses its scheduler while it closes may stay
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def shared(project, tmp_path):
    """The clone with a bare repository and a folder as its remotes, which have what is committed."""
    share(project, tmp_path / "bare")
    set_up(project)
    project.dvc("remote", "modify", "--local", "store", "url", str(tmp_path / "store"))
    project.dvc("push")
    return project


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end, "what the test waits for does not come"
        time.sleep(0.2)


def start_sweep(project: Project, cluster: Cluster) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [str(BIN / "emotion"), "sweep", "--cluster", cluster.address],
        cwd=project.path,
        env=project.environment | CODE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def queued(project: Project) -> list[str]:
    """Return the names of the experiments that wait in the queue."""
    return re.findall(r"^\w{7}\s+(\S+)\s.*Queued\s*$", project.dvc("queue", "status"), flags=re.MULTILINE)


def list_refs(bare: Path) -> list[str]:
    refs = subprocess.run(["git", "for-each-ref", "--format=%(refname)"], cwd=bare, capture_output=True, text=True)
    return refs.stdout.split()


def queue(project: Project, name: str, *change: str) -> None:
    project.dvc("exp", "run", "--queue", "--name", name, *change)


def test_a_sweep_survives_a_killed_worker_and_a_failing_experiment(shared, cluster, tmp_path):
    project = shared
    alone = clone(project, tmp_path / "alone")
    alone.environment["DVC_SITE_CACHE_DIR"] = str(tmp_path / "site")
    queue(project, "few", "-S", "plot.mistakes=2")
    queue(project, "more", "-S", "plot.mistakes=3")
    queue(project, "broken", "-S", "plot.mistakes=-1")
    queue(project, "copying", "-S", "plot.mistakes=5", "-C", "data/raw/missing.zip")
    with start_sweep(project, cluster) as sweep:
        wait_for(lambda: len(cluster.clones()) == 2)
        cluster.workers[0].send_signal(signal.SIGKILL)
        output, _ = sweep.communicate()
    wait_for(lambda: not cluster.clones())
    assert sweep.returncode == 3, output
    lines = {line.partition(":")[0]: line for line in output.splitlines()}
    assert re.search(r"\d s on tcp://127.0.0.1:\d+, val.accuracy 0\.\d{5}$", lines["few"])
    assert "plot.mistakes" in output, "the end of the log says what is wrong"
    assert sorted(queued(project)) == ["broken", "copying"]
    assert "--data" in lines["copying"]
    rows = {row["Experiment"]: row for row in experiments(project)}
    assert {"few", "more"} <= set(rows)
    assert [ref for ref in list_refs(tmp_path / "bare") if ref.startswith("refs/emotion")] == []

    alone.dvc("remote", "modify", "--local", "store", "url", str(tmp_path / "store"))
    alone.dvc("pull")
    alone.dvc("exp", "run", "--name", "alone", "-S", "plot.mistakes=2")
    project.dvc("exp", "apply", "few")
    assert project.read("dvc.lock") == alone.read("dvc.lock")
    assert project.status() == {}
    assert checksums(project, *cached_outputs(project.path)) <= stored(project, "../store")


def test_ctrl_c_ends_the_experiments_and_leaves_them_in_the_queue(shared, cluster, tmp_path):
    project = shared
    for name in ("first", "second"):
        queue(project, name, "-S", "faces.margin=0.1")
    before = list_refs(tmp_path / "bare")
    with start_sweep(project, cluster) as sweep:
        wait_for(lambda: len(cluster.clones()) == 2)
        os.kill(sweep.pid, signal.SIGINT)
        output, _ = sweep.communicate()
    assert sweep.returncode == 130, output
    wait_for(lambda: not cluster.clones())
    assert sorted(queued(project)) == ["first", "second"]
    assert list_refs(tmp_path / "bare") == before
    assert list((tmp_path / "store").glob(".partial-*")) == []
