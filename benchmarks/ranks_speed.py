"""The speed of training on several processes, as `benchmarks.cluster` measures it.

The stage `train` runs on random images, since speed does not depend on what they show. Its lines of epochs are timed,
from the end of the first, in which Keras compiles.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ruamel.yaml import YAML
from tqdm import tqdm

from benchmarks.predict_speed import ROOT, summarize
from emotion.core.errors import InputError

IMAGES, VALIDATION, SIZE, CLASSES = 1024, 256, 48, 7
EPOCHS = 3
ARCHITECTURE = "residual"


class Way(NamedTuple):
    """A way to train: the backend, the number of processes, and the threads of each."""

    backend: str
    processes: int
    threads: int


WAYS = {
    "jax_1x1": Way("jax", 1, 1),
    "jax_2x1": Way("jax", 2, 1),
    "tensorflow_1x2": Way("tensorflow", 1, 2),
}


def measure_training(folder: Path, rounds: int) -> dict[str, Any]:
    """Return images a second of each way and their ratios, taking turns."""
    make_features(folder / "data/features")
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    for name in tqdm([*WAYS] * rounds, desc="training", unit=" runs", disable=None):
        rates[name].append(time_training(folder, WAYS[name]))
    return {
        "rounds": rounds,
        "architecture": ARCHITECTURE,
        "batch_size": write_params(folder, WAYS["jax_1x1"]),
        "images_a_second": {name: summarize(values) for name, values in rates.items()},
        "processes_over_one": _ratio(rates["jax_2x1"], rates["jax_1x1"]),
        "processes_over_tensorflow": _ratio(rates["jax_2x1"], rates["tensorflow_1x2"]),
    }


def make_features(folder: Path) -> None:
    """Write arrays of random images, as the stage extract_features does."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(2013)
    for split, count in (("train", IMAGES), ("val", VALIDATION), ("test", VALIDATION)):
        np.save(folder / f"x_{split}.npy", generator.integers(0, 256, (count, SIZE, SIZE, 1), dtype=np.uint8))
        np.save(folder / f"y_{split}.npy", np.arange(count, dtype=np.int32) % CLASSES)


def write_params(folder: Path, way: Way) -> int:
    """Write params.yaml for a way to train; return the size of a batch of all processes together."""
    yaml = YAML()
    params = yaml.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["train"] |= {"architecture": ARCHITECTURE, "epochs": EPOCHS, "batch_size": 128, "processes": way.processes}
    params["compute"]["threads"] = way.threads
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(params, file)
    return int(params["train"]["batch_size"])


def time_training(folder: Path, way: Way) -> float:
    """Return the images a second of a training, without its first epoch."""
    write_params(folder, way)
    threads = {"NPROC": str(way.threads)}  # what JAX reads; TensorFlow has compute.threads
    environment = os.environ | {"KERAS_BACKEND": way.backend, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    times = []
    command = [sys.executable, "-m", "stages.train"]
    with subprocess.Popen(command, cwd=folder, env=environment | threads, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("epoch"):
                times.append(time.perf_counter())
    if process.returncode or len(times) != EPOCHS:
        raise InputError(f"the training of {way} failed with status {process.returncode} after {len(times)} epochs")
    return IMAGES * (EPOCHS - 1) / (times[-1] - times[0])


def _ratio(ours: list[float], theirs: list[float]) -> dict[str, float]:
    return summarize([one / other for one, other in zip(ours, theirs, strict=True)])
