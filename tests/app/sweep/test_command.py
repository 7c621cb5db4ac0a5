"""`emotion sweep` without a cluster, and its lines."""

import re
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

import pytest
from dvc.config import Config

from emotion.app import cli
from emotion.app.sweep.job import Experiment, Job, Outcome, Places
from emotion.app.sweep.on_worker import check_worker, clone_environment, read_accuracy, write_settings
from emotion.app.sweep.runner import count, describe
from emotion.core.errors import InputError
from emotion.parallel.piece import PieceFailure, WrongEnvironmentError
from emotion.parallel.ranks import find_place

PLACES = Places("url", {}, None, (), "/none", {}, "0")
JOB = Job(Experiment("calm-cat", "1" * 40, "2" * 40, "3" * 40, (), ("raw",)), PLACES)


def test_without_a_cluster_the_message_names_the_queue_of_this_machine(monkeypatch):
    monkeypatch.delenv("EMOTION_SCHEDULER", raising=False)
    monkeypatch.setattr(sys, "argv", ["emotion", "sweep"])
    with pytest.raises(SystemExit, match="dvc queue start"):
        cli.main()


def test_the_line_of_an_experiment_has_its_worker_time_and_figure():
    assert describe((JOB, Outcome("tcp://a:1", 12.3, 0.5))) == "calm-cat: 12 s on tcp://a:1, val.accuracy 0.50000"
    assert describe((JOB, Outcome("tcp://a:1", 12.3, None))) == "calm-cat: 12 s on tcp://a:1"
    failed = describe((JOB, PieceFailure("tcp://a:1", InputError("the end of the log"))))
    assert "tcp://a:1" in failed
    assert "the end of the log" in failed


def test_the_last_line_counts_what_ended_and_what_is_here():
    assert count(2, 2, 2) == "2 of 2 experiments ended well"
    assert count(1, 1, 2) == "1 of 2 experiments ended well; the rest stays in the queue"
    assert count(1, 0, 2).startswith("1 of 2 experiments ended well, and 0 of these are here")


def test_a_worker_with_another_dvc_is_refused():
    with pytest.raises(WrongEnvironmentError, match="in place of 0"):
        check_worker(JOB)


def test_a_worker_without_dvc_is_refused(monkeypatch):
    def find(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("emotion.app.sweep.on_worker.version", find)
    with pytest.raises(WrongEnvironmentError, match=r"dvc \(not installed\) in place of 0"):
        check_worker(JOB)


@pytest.mark.parametrize(
    "place",
    [
        {"EMOTION_COORDINATOR": "10.0.0.1:4711", "EMOTION_RANK": "1"},
        {
            "SLURM_JOB_ID": "1",
            "SLURM_STEP_NODELIST": "node[1-2]",
            "SLURM_STEP_NUM_TASKS": "2",
            "SLURM_PROCID": "1",
        },
    ],
)
def test_an_experiment_is_no_rank_and_uses_no_cluster_though_its_worker_has_a_place(place, tmp_path, monkeypatch):
    pytest.importorskip("dask")
    for name, value in {"EMOTION_SCHEDULER": "tcp://host:8786", **place}.items():
        monkeypatch.setenv(name, value)
    environment = clone_environment(tmp_path)
    assert find_place(environment) is None
    assert "EMOTION_SCHEDULER" not in environment


def test_a_worker_without_git_is_refused(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(WrongEnvironmentError, match="git"):
        check_worker(JOB)


def test_a_worker_that_does_not_share_a_folder_is_refused(tmp_path):
    job = replace(JOB, places=replace(JOB.places, signs=(str(tmp_path / "sign"),), dvc=version("dvc")))
    with pytest.raises(WrongEnvironmentError, match=re.escape(str(tmp_path))):
        check_worker(job)
    (tmp_path / "sign").touch()
    check_worker(job)


def test_a_clone_has_the_remotes_of_the_sweep_as_dvc_reads_them(tmp_path):
    remotes = {"store": {"url": "/mnt/a, b # c"}, "other": {"url": "s3://bucket/a", "endpointurl": "http://host"}}
    places = replace(JOB.places, remotes=remotes, default="other")
    write_settings(tmp_path / "config.local", places, tmp_path / "cache")
    read = Config.load_file(tmp_path / "config.local")
    assert {name: dict(remote) for name, remote in read["remote"].items()} == remotes
    assert read["core"]["remote"] == "other"
    assert read["cache"]["dir"] == str(tmp_path / "cache")


@pytest.mark.parametrize(
    "text, accuracy", [('{"val": {"accuracy": 0.25}}', 0.25), ('{"val": {}}', None), ("[]", None), ("{", None)]
)
def test_the_accuracy_of_a_summary_is_read_where_it_has_one(tmp_path, text, accuracy):
    (tmp_path / "summary.json").write_text(text, encoding="utf-8")
    assert read_accuracy(tmp_path / "summary.json") == accuracy


def test_a_missing_summary_has_no_accuracy(tmp_path):
    assert read_accuracy(tmp_path / "summary.json") is None
