"""Commands and stages on a cluster: the same bytes as alone, and sentences where a worker lacks something."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from distributed import Client

from benchmarks.cluster import peak_mebibytes
from benchmarks.cluster_processes import Cluster, running_cluster
from benchmarks.predict_speed import EMOTION, run
from emotion.app.named_files import NamedFile
from emotion.app.predict.image_files import collect_files
from emotion.app.predict.on_cluster import predict_on_cluster
from emotion.app.predict.predict_files import cut_pieces, predict_pieces
from emotion.app.predict.results import ImageResult
from emotion.app.shared_predictor import SharedPredictor, share_predictor
from emotion.core.errors import InputError
from emotion.inference.predictor import Predictor
from emotion.parallel.address import SCHEDULER
from emotion.parallel.cluster import ClusterError
from stages import create_dataframe, extract_features, resolve_faces
from tests.app.writing import read_files
from tests.makers import ROOT, encode, image_files, make_rows, write_files, write_params, write_zip

pytestmark = pytest.mark.medium


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture
def photos(here, astronaut) -> Path:
    """40 portraits, a photo without a face and a broken file."""
    files = {f"{number:02}.jpg": encode(np.roll(astronaut, number, axis=1), ".jpg") for number in range(40)}
    files |= {"below/sky.png": encode(np.full((200, 200), 90, np.uint8)), "below/broken.png": b"no image"}
    return write_files(here / "photos", files)


def share(model: Path) -> SharedPredictor:
    return share_predictor(model, detector="auto", margin=None, smallest=None, thorough=False)


def summarize(result: ImageResult) -> tuple[object, ...]:
    return result.path, result.status, *map(str, result.faces)


def test_predictions_and_annotated_images_are_the_same_bytes(photos, model, cluster, run_emotion):
    names = ["photos", "photos/gone.jpg", "nothing*.png", "--model", str(model), "--annotate"]
    alone = run_emotion("predict", *names, "alone", "--json")
    together = run_emotion("predict", *names, "together", "--json", "--cluster", cluster.address)
    assert alone[0] == 3
    assert together == alone
    assert read_files(Path("together")) == read_files(Path("alone"))
    assert len(read_files(Path("alone"))) == 40


def test_an_evaluation_has_the_same_figures(here, model, cluster, run_emotion):
    write_zip(here / "faces.zip", image_files(make_rows(per_class=3, size=20)))
    arguments = ("evaluate", "--data", "faces.zip", "--split", "all", "--model", str(model), "--json", "-")
    alone = run_emotion(*arguments)
    assert alone[0] == 0
    assert run_emotion(*arguments, "--cluster", cluster.address) == alone


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("faces", ["as_is", "detect"])
def test_the_table_and_the_arrays_are_the_same_bytes(here, astronaut, cluster, monkeypatch, packed, faces):
    images = [
        (emotion, split, np.roll(astronaut, shift, axis=1)) for shift, (emotion, split, _) in enumerate(make_rows())
    ]
    files = image_files(images, ".jpg") | {"train/happy/broken.jpg": b"no image"}
    if packed:
        write_zip(here / "data/raw/faces.zip", files)
    else:
        write_files(here / "data/raw", files)
    write_params(here, features_faces=faces, source_rejected_share=0.2)
    alone, together = make_data(), make_data(monkeypatch, cluster)
    assert together == alone
    assert b"broken.jpg" in alone["data/rejected.csv"]


def make_data(monkeypatch: pytest.MonkeyPatch | None = None, cluster: Cluster | None = None) -> dict[str, bytes]:
    """Run the stages that read images, and return the files that they write."""
    if monkeypatch and cluster:
        monkeypatch.setenv(SCHEDULER, cluster.address)
    for stage in (resolve_faces, create_dataframe, extract_features):
        stage.main()
    return {name: content for name, content in read_files(Path()).items() if "raw/" not in name}


def test_a_killed_worker_changes_no_prediction(photos, model, tmp_path):
    pieces = cut_pieces(collect_files(["photos"]))
    alone = [
        (result.path, result.status, *map(str, result.faces)) for result in predict_pieces(pieces, Predictor(model))
    ]
    (tmp_path / "files").mkdir()
    with running_cluster(tmp_path / "files") as started:
        results = predict_on_cluster(pieces, share(model), started.address, targets={})
        found = [next(results)]
        os.killpg(started.workers[0].pid, signal.SIGKILL)
        found += results
    assert list(map(summarize, found)) == alone


def test_a_file_that_only_workers_lack_is_an_error(photos, model, cluster, monkeypatch):
    files = [NamedFile(photos / name, Path(name)) for name in ("06.jpg", "gone.jpg")]
    found = list(predict_on_cluster([files], share(model), cluster.address, targets={}))
    assert [result.status for result in found] == [
        "ok",
        "unreadable: the file cannot be read: No such file or directory",
    ]
    monkeypatch.setattr("emotion.parallel.cluster._can_read", lambda path: True)
    with pytest.raises(ClusterError, match=r"failed on the worker tcp\S+ \S+gone.jpg cannot be read there"):
        list(predict_on_cluster([files], share(model), cluster.address, targets={}))


def test_a_worker_without_the_model_is_named(photos, model, tmp_path, cluster):
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(model.read_bytes())
    shared = share(copy)
    copy.unlink()
    with pytest.raises(ClusterError, match=r"worker tcp\S+ the model file \S+copy.onnx cannot be read there"):
        predict_all(shared, cluster)
    copy.write_bytes(b"another one")
    with pytest.raises(ClusterError, match=r"the model file \S+copy.onnx there is not that of this machine"):
        predict_all(shared, cluster)


def test_a_worker_that_does_not_share_the_folder_of_annotated_images_is_named(photos, model, cluster, monkeypatch):
    gone = nullcontext([photos.parent / "boxed/mark"])  # a worker with another folder there sees no mark
    monkeypatch.setattr("emotion.app.predict.on_cluster.marked_folders", lambda folders: gone)
    files = collect_files(["photos/06.jpg"])
    targets = {file.path: Path("boxed/06.jpg") for file in files}
    with pytest.raises(ClusterError, match=r"on the worker \S+: .*boxed there is not the folder of this machine"):
        list(predict_on_cluster([files], share(model), cluster.address, targets=targets, folder=Path("boxed")))
    assert not Path("boxed").exists()


def test_a_model_that_is_missing_here_is_named(here, cluster, run_emotion):
    status, _, errors = run_emotion("predict", "a.png", "--model", "no.onnx", "--cluster", cluster.address)
    assert status != 0
    assert "no.onnx" in str(status) + errors


def predict_all(shared: SharedPredictor, cluster: Cluster) -> list[object]:
    return list(predict_on_cluster(cut_pieces(collect_files(["photos"])), shared, cluster.address, targets={}))


def test_no_scheduler_is_a_sentence_and_nothing_is_written(photos, model, run_emotion, monkeypatch):
    monkeypatch.setattr("emotion.parallel.cluster.CONNECTING_SECONDS", 1)
    status, out, _ = run_emotion("predict", "photos", "--model", model, "--csv", "--cluster", "tcp://127.0.0.1:9")
    assert "no scheduler of Dask answers at tcp://127.0.0.1:9" in str(status)
    assert not out


def test_no_scheduler_leaves_the_table_as_it_was(here, monkeypatch):
    write_files(here / "data/raw", image_files(make_rows()))
    write_params(here)
    before = make_data()
    monkeypatch.setattr("emotion.parallel.cluster.CONNECTING_SECONDS", 1)
    monkeypatch.setenv(SCHEDULER, "tcp://127.0.0.1:9")
    with pytest.raises(InputError, match="no scheduler of Dask answers"):
        create_dataframe.main()
    monkeypatch.delenv(SCHEDULER)
    assert {name: content for name, content in read_files(Path()).items() if "raw/" not in name} == before


def test_ctrl_c_ends_the_command_and_the_work(photos, model, cluster):
    script = "import sys; from emotion.app.cli import main; main()"
    names = [f"photos/./{'./' * number}{name:02}.jpg" for number in range(1, 60) for name in range(40)]
    command = [sys.executable, "-c", script, "predict", *names, "--model", str(model), "--csv"]
    process = subprocess.Popen(
        [*command, "--cluster", cluster.address],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    assert process.wait(10) == 130
    with Client(cluster.address, set_as_default=False) as client:
        deadline = time.monotonic() + 5
        while any(client.processing().values()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not any(client.processing().values())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_kill_leaves_the_rows_so_far_and_no_mark_for_good(photos, model, cluster, run_emotion, number):
    script = "import sys; from emotion.app.cli import main; main()"
    names = [f"photos/./{'./' * number}{name:02}.jpg" for number in range(1, 60) for name in range(40)]
    options = ["--model", str(model), "--annotate", "boxed", "--cluster", cluster.address]
    process = subprocess.Popen(
        [sys.executable, "-c", script, "predict", *names, *options, "--parquet", "table"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while len(list(Path("boxed").glob("*.jpg"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    assert process.wait(60) == (130 if number == signal.SIGTERM else -number)
    own = f".partial-*-{process.pid}-*"
    assert bool(list(Path("boxed").glob(own))) == (number == signal.SIGKILL)
    assert Path("table").exists() == (number == signal.SIGTERM)
    if number == signal.SIGTERM:
        assert set(pd.read_parquet("table")["status"]) == {"ok"}
    run_emotion("predict", "photos/00.jpg", *options, "--csv")
    assert not list(Path("boxed").glob(own))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_images(here, model, cluster):
    content = encode(np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8), ".jpg")
    write_files(here / "few", {f"{number:05}.jpg": content for number in range(2_000)})
    write_files(here / "many", {f"{number:05}.jpg": content for number in range(20_000)})
    client, workers = zip(*(peaks(here / name, model, cluster) for name in ("few", "many")), strict=True)
    assert client[1] - client[0] < 40, "MiB for 18,000 more names"
    assert workers[1] - workers[0] < 20


def peaks(folder: Path, model: Path, cluster: Cluster) -> tuple[float, float]:
    """Predict on the cluster; return the peak memory of the command and of the larger worker so far, in MiB."""
    command = [EMOTION, "predict", folder, "--csv", "--detector", "whole", "--model", model]
    alone, together = run(command, EMOTION_SCHEDULER=""), run(command, EMOTION_SCHEDULER=cluster.address)
    assert together.printed == alone.printed
    return together.mebibytes, max(peak_mebibytes(worker.pid) for worker in cluster.workers)


@pytest.mark.slow
def test_kills_of_workers_at_random_moments_change_no_byte(here, astronaut, tmp_path_factory, monkeypatch):
    images = [
        (emotion, split, np.roll(astronaut, shift, axis=1))
        for shift, (emotion, split, _) in enumerate(make_rows(per_class=6))
    ]
    write_files(here / "data/raw", image_files(images, ".jpg"))
    write_params(here, features_faces="detect")
    alone = make_data()
    moments = random.Random(2013)
    for number in range(10):
        with running_cluster(tmp_path_factory.mktemp(f"kill-{number}")) as started:
            victim = started.workers[number % 2]
            timer = threading.Timer(moments.uniform(0.2, 4), os.killpg, (victim.pid, signal.SIGKILL))
            timer.start()
            assert make_data(monkeypatch, started) == alone
            timer.join()
