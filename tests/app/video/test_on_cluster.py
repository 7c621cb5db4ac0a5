"""`emotion video` on a cluster: a video a task, and the files are those of this machine alone."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.cluster_processes import QUIET, ROOT, Cluster, running_cluster
from emotion.app.shared_predictor import share_predictor
from emotion.app.video.jobs import Job, VideoOptions
from emotion.app.video.on_cluster import do_on_cluster
from emotion.core.errors import InputError
from emotion.core.files import TEMPORARY
from emotion.parallel.address import SCHEDULER
from tests.app.video.tables import read_rows
from tests.app.writing import read_files
from tests.clips import FRAMES, noise_images, read_frames, write_video

pytestmark = pytest.mark.medium

LONG = 20
"""How often the clip is repeated in a video that takes seconds."""

SECONDS = 60


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture(scope="module")
def clips(clip, tmp_path_factory) -> Path:
    """A folder with videos of one or two seconds, one without a face, and a broken one."""
    folder: Path = tmp_path_factory.mktemp("videos") / "clips"
    (folder / "sub").mkdir(parents=True)
    images = [frame.image for frame in read_frames(clip)]
    for number, name in enumerate(("a.mp4", "b.mp4", "sub/a.mp4", "sub/c.avi"), start=3):
        write_video(folder / name, number * images)
    write_video(folder / "noise.mp4", noise_images())
    (folder / "broken.mp4").write_bytes(b"no video")
    write_video(folder.parent / "long.mp4", LONG * images)
    return folder


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_written(folder: Path, process: str = "*") -> bool:
    """Return whether a process writes a table in `folder`, or below."""
    return any(folder.rglob(f"{TEMPORARY}*-{process}-*.csv"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_worker_ends_its_work_with_the_command(clips, here, model, cluster, number):
    before = {"long.mp4", "tables"}
    (here / "long.mp4").symlink_to(clips.parent / "long.mp4")
    command = f"video long.* --csv tables --model {model} --cluster {cluster.address}"
    process = subprocess.Popen(
        [sys.executable, "-c", "from emotion.app.cli import main; main()", *command.split()],
        env={**os.environ, **QUIET, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: is_written(here / "tables"))
    process.send_signal(number)
    assert process.wait(SECONDS) == (-number if number == signal.SIGKILL else 130)
    wait_until(lambda: (here / "tables/long.partial.csv").exists() and not is_written(here / "tables"))
    assert not (here / "tables/long.csv").exists()
    assert number == signal.SIGKILL or not list((here / "tables").glob(f"{TEMPORARY}*"))
    assert 0 < len(read_rows(here / "tables/long.partial.csv")) < LONG * FRAMES
    assert {path.name for path in here.iterdir()} == before


def test_one_video_needs_no_cluster(clip, here, emotion_video, monkeypatch):
    assert "on this machine" in emotion_video(clip, "--csv", "alone.csv", "--cluster", "nowhere")[2]
    monkeypatch.setenv(SCHEDULER, "nowhere")
    assert emotion_video(clip, "--csv", "out.csv")[0] == 0
    assert emotion_video(clip.parent, "--csv", "tables")[0].startswith("error: the address of the cluster is 'nowhere'")


def test_a_worker_that_lacks_the_model_or_a_folder_is_named(clip, here, model, cluster, monkeypatch):
    job, options = Job(clip, None, here / "tables/a.csv"), VideoOptions(0.0, 1, 0.25, 1.0, False, False)
    shared = share_predictor(model, detector="whole", margin=None, smallest=None, thorough=False)

    def run(shared):
        list(do_on_cluster(options, shared, [job], cluster.address))

    run(shared)
    lost = here / "lost.onnx"
    with pytest.raises(InputError, match=r"clip\.mp4 failed on the worker tcp://\S+: the model file .*lost\.onnx"):
        run(replace(shared, model=lost))
    gone = nullcontext([here / "tables" / TEMPORARY])  # a worker with another folder there sees no mark
    monkeypatch.setattr("emotion.app.video.on_cluster.marked_folders", lambda folders: gone)
    with pytest.raises(InputError, match=r"on the worker \S+: .*tables there is not the folder of this machine"):
        run(shared)


def test_the_files_are_those_of_one_machine_though_a_worker_is_killed(clips, here, model, cluster, run_emotion):
    arguments = clips, "missing.mp4", "--model", model
    alone = run_emotion("video", *arguments, "-o", "alone/new", "--csv", "alone/tables")
    doomed = cluster.add_worker()
    cluster.wait_for_workers(3)
    tables = here / "there/tables"
    with ThreadPoolExecutor(1) as executor:
        killed = executor.submit(kill_at_work, doomed, tables)
        there = run_emotion("video", *arguments, "-o", "there/new", "--csv", tables, "--cluster", cluster.address)
        killed.result()
    assert alone[0] == there[0] == 3
    files = {name: content for name, content in read_files(here / "there").items() if TEMPORARY not in name}
    assert files == read_files(here / "alone")
    assert len(files) == 10
    assert there[1].replace(f"{here}/", "") == alone[1].replace("alone/", "there/")
    assert re.findall(r"^error: \S*(broken|missing)\.mp4 (cannot|does not)", there[2], re.MULTILINE) == [
        ("broken", "cannot"),
        ("missing", "does not"),
    ]


def kill_at_work(worker: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Kill a worker that writes a table in `folder`, or below."""
    wait_until(lambda: is_written(folder, str(worker.pid)))
    worker.kill()
