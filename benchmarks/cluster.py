"""The cost of a Dask cluster: two workers of one thread against two threads of one process, on this machine.

    python -m benchmarks.cluster --model models/released/photo/model_int8.tflite --fer2013 data/raw/fer2013.tar.gz

- `photos`: `emotion predict FOLDER --csv` on 5,000 JPEG files of 512x512 pixels: those of `benchmarks.predict_speed`,
  the same 1,000 under five names. Alone with two threads, and with --cluster on two workers.
- `small`: the same with 20,000 JPEG files of 48x48 pixels of FER2013, each taken as one face. A piece is done at once
  there, so what the cluster adds shows most.
- `table`: the stage create_dataframe with the search for faces on the 5,000 photos, alone and on the two workers.

- `training`: the stage train on random images; see `benchmarks.ranks_speed`.

The ways take turns. Processor time is that of all processes together: of the command alone, or of the command, the
scheduler and the workers. Their start is not part of it, since a cluster runs on. The outputs have to be the same
bytes. Memory is the peak resident set of the command and of the larger worker.

results/cluster.json gets the figures. Nothing else should run on the machine.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.cluster_processes import Cluster, running_cluster
from benchmarks.predict_speed import EMOTION, ROOT, Run, make_images, run, summarize
from benchmarks.ranks_speed import measure_training
from emotion.core.errors import InputError, run_command
from emotion.core.files import write_json

RESULT = ROOT / "results/cluster.json"

WORKERS = 2
PHOTOS, NAMES, SMALL = 1000, 5, 20_000
PHOTO_SIZE = 512

TICKS = os.sysconf("SC_CLK_TCK")

TABLE = """\
import hashlib, sys
from pathlib import Path
from emotion.core.files import write_csv
from emotion.core.labels import resolve_scheme
from emotion.ingest.label_reader import make_label_reader
from emotion.ingest.photos.face_settings import FaceSearch
from emotion.ingest.sources.content import content_of
from emotion.ingest.sources.locate import open_source
from stages.create_dataframe import read_images
source = open_source(Path(sys.argv[1]), None, make_label_reader(resolve_scheme("seven"), None))
collected = read_images(source, FaceSearch("detect", "yunet", 40), content_of, Path(sys.argv[2]) / "pixels.npy")
write_csv(Path(sys.argv[2]) / "table.csv", collected.images)
print(*(hashlib.md5((Path(sys.argv[2]) / name).read_bytes()).hexdigest() for name in ("table.csv", "pixels.npy")))
"""
"""The work of create_dataframe, without splits and copies."""


class Measured(NamedTuple):
    """A command that ended: seconds, seconds of all processors, and MiB of the command and of the larger worker."""

    seconds: float
    processor_seconds: float
    mebibytes: float
    worker_mebibytes: float
    printed: str


def make_small(folder: Path, archive: Path, count: int) -> None:
    """Write the first `count` images of FER2013 as JPEG files."""
    from emotion.core.labels import resolve_scheme
    from emotion.ingest.label_reader import make_label_reader
    from emotion.ingest.sources.content import content_of
    from emotion.ingest.sources.locate import open_source

    folder.mkdir()
    source = open_source(archive.parent, archive.name, make_label_reader(resolve_scheme("seven"), None))
    number = 0
    for batch in source.batches(content_of):
        for _, content in batch[: count - number]:
            pixels = np.frombuffer(content.pixels, np.uint8).reshape(content.height, content.width)
            cv2.imwrite(str(folder / f"{number:05}.jpg"), pixels)
            number += 1


def link_photos(photos: Path, folder: Path) -> None:
    """Give each photo NAMES names in `folder`, in the folders of two emotions."""
    for number in range(NAMES):
        for place, path in enumerate(sorted(photos.iterdir())):
            target = folder / ("happy" if place % 2 else "sad") / f"{number}-{path.name}"
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)


def processor_seconds(process: int) -> float:
    """Return the processor time that a running process has taken so far."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mebibytes(process: int) -> float:
    """Return the peak resident set of a running process."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def measure_alone(command: list[object]) -> Measured:
    """Run a command on this machine alone."""
    done: Run = run(command)
    return Measured(done.seconds, done.processor_seconds, done.mebibytes, 0, done.printed)


def measure_together(command: list[object], cluster: Cluster) -> Measured:
    """Run a command on the cluster."""
    processes = [cluster.scheduler.pid, *(worker.pid for worker in cluster.workers)]
    before = sum(map(processor_seconds, processes))
    done = run(command, EMOTION_SCHEDULER=cluster.address)
    spent = sum(map(processor_seconds, processes)) - before
    peak = max(peak_mebibytes(worker.pid) for worker in cluster.workers)
    return Measured(done.seconds, done.processor_seconds + spent, done.mebibytes, peak, done.printed)


def compare(command: list[object], images: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Return what the command takes alone and on a cluster, taking turns."""
    with running_cluster(folder, WORKERS) as cluster:
        ways: dict[str, Callable[[], Measured]] = {
            "alone": lambda: measure_alone(command),
            "cluster": lambda: measure_together(command, cluster),
        }
        runs: dict[str, list[Measured]] = {name: [] for name in ways}
        ways["cluster"]()  # the workers load their modules once
        for name in tqdm([*ways] * rounds, desc=folder.name, unit=" runs", disable=None):
            runs[name].append(ways[name]())
    if len({one.printed for measured in runs.values() for one in measured}) > 1:
        raise InputError("the results alone and on the cluster differ, expected the same bytes")
    pairs = list(zip(runs["cluster"], runs["alone"], strict=True))
    return {
        "images": images,
        "images_a_second": {name: summarize([images / one.seconds for one in runs[name]]) for name in runs},
        "processor_milliseconds_an_image": {
            name: 1000 / images * statistics.median(one.processor_seconds for one in runs[name]) for name in runs
        },
        "processor_ratio": summarize([one.processor_seconds / other.processor_seconds for one, other in pairs]),
        "mebibytes": {name: max(one.mebibytes for one in runs[name]) for name in runs},
        "worker_mebibytes": max(one.worker_mebibytes for one in runs["cluster"]),
    }


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the result file holds."""
    from importlib.metadata import version

    from emotion.model_files.keras_setup import processor

    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        make_images(top / "originals", PHOTOS, PHOTO_SIZE)
        link_photos(top / "originals", top / "images")
        make_small(top / "faces", arguments.fer2013, SMALL)
        predict = [EMOTION, "predict", "--csv", "--model", arguments.model, "--threads", WORKERS]
        works = {
            "photos": ([*predict, top / "images"], PHOTOS * NAMES),
            "small": ([*predict, top / "faces", "--detector", "whole"], SMALL),
            "table": ([sys.executable, "-c", TABLE, top / "images", top], PHOTOS * NAMES),
        }
        figures = {}
        for work, (command, images) in works.items():
            (top / work).mkdir()
            figures[work] = compare(command, images, arguments.rounds, top / work)
        if arguments.training_rounds:
            figures["training"] = measure_training(top / "training", arguments.training_rounds)
    return {
        "machine": processor(),
        "versions": {name: version(name) for name in ("dask", "numpy", "opencv-python-headless")},
        "model": arguments.model.parent.name,
        "workers": WORKERS,
        "rounds": arguments.rounds,
        **figures,
    }


def main() -> None:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a .tflite or .onnx file")
    parser.add_argument("--fer2013", type=Path, required=True, help="FER2013's archive, for small images")
    parser.add_argument("--rounds", type=int, default=3, help="%(default)s")
    parser.add_argument("--training-rounds", type=int, default=2, help="0 leaves trainings out (%(default)s)")
    parser.add_argument("--out", type=Path, default=RESULT, help="%(default)s")
    arguments = parser.parse_args()
    arguments.model = arguments.model.resolve()
    result = measure(arguments)
    write_json(arguments.out, result)
    for work in ("photos", "small", "table"):
        ratio = result[work]["processor_ratio"]
        spread = f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"
        print(f"{work:8}processor time on the cluster over alone: {spread}")


if __name__ == "__main__":
    run_command(main)
