"""The published systems on FER2013, one protocol for all: each a DVC experiment, together one table.

    python -m benchmarks.comparison --fer2013 data/raw/fer2013.tar.gz

Each preset in SYSTEMS is queued as an experiment, two at a time with a thread each. The epoch is chosen on PublicTest
and PrivateTest is scored once. Copies of their images are taken out of training. CUTS shortens the trainings, so that
all of them take an afternoon on two cores. `--in-full` runs the presets without cuts.

The figures of each run become a row of results/runs.csv; `make figures` writes the table. A system that has a row is
not run again, unless it is named: `--only mini-xception`. Milliseconds a face are measured at the end, when nothing
else runs.

Each model then reads the photographs of faces_wild, as benchmarks.outside does, and results/comparison_photos.json gets
the scores. Of the five emotions of the photographs, those count that the system knows.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from benchmarks.comparison_report import LATENCY, PHOTOS, SYSTEMS, write_plot
from benchmarks.comparison_report import PREFIX as ROWS
from benchmarks.outside import measure
from benchmarks.outside_tables import FACES_WILD, FIVE
from benchmarks.runs import make_run, read_preset, read_runs, write_run
from emotion.app.preset.presets import apply_preset, list_presets
from emotion.core.errors import InputError, run_command
from emotion.core.files import atomic_path, read_json, write_json
from emotion.core.labels import resolve_scheme
from emotion.core.params import PARAMS_FILE
from emotion.core.paths import MODEL
from emotion.runtimes.engine import Engine
from emotion.runtimes.engines import load_engine

PATIENT = ("train.patience=4",)
HALF = ("train.epochs=30", "train.progressive_sizes=[[32,0.5],[40,0.2]]")
CUTS = {
    "happy-sad-rgb": PATIENT,
    "happy-sad-grayscale": PATIENT,
    "five-webcam": PATIENT,
    "seven-two-blocks": PATIENT,
    "seven-three-blocks": PATIENT,
    "mini-xception": ("train.epochs=16",),
    "vgg-bn": (*HALF, "train.warmup=0.06667"),
    "se-resnet": (*HALF, "train.warmup=0.06667"),
    "fer2013": (*HALF, "train.warmup=0.03333"),
}
"""The params that shorten each training unless `--in-full` is given."""

PHOTO_SCORES = ("images", "accuracy", "accuracy_low", "accuracy_high", "macro_f1")

PREFIX = "compare-"
DVC = str(Path(sys.executable).with_name("dvc"))


def main() -> None:
    """Run the comparison that the command line asks for."""
    options = _parser().parse_args()
    run_command(lambda: compare(options))


def compare(options: argparse.Namespace) -> None:
    """Run the systems that have no row yet, then write the plot."""
    check_options(options)
    names = options.only or [name for name in SYSTEMS if ROWS + name not in read_runs()]
    for name in names:
        queue(name, options)
    if names:
        start(options.jobs)
        follow(names, options.faces_wild, options.jobs)
    measure_latency()
    write_plot()
    print("`make figures` writes the table into docs/figures.md")


def check_options(options: argparse.Namespace) -> None:
    """Raise InputError where a run would fail later."""
    unknown = sorted(set(options.only) - set(SYSTEMS))
    if unknown:
        raise InputError(f"--only: got {', '.join(unknown)}, expected some of {', '.join(SYSTEMS)}")
    missing = sorted(set(SYSTEMS) - set(list_presets()))
    if missing:
        raise InputError(f"there are no presets {', '.join(missing)}; run the command from the project's root")
    if not options.fer2013.is_file() or options.fer2013.parent != Path("data/raw"):
        raise InputError(f"--fer2013: got {options.fer2013}, expected FER2013 as a file in data/raw/")
    if not options.faces_wild.exists():
        raise InputError(f"--faces-wild: got {options.faces_wild}, which is not here; name the folder or the tar file")


def queue(name: str, options: argparse.Namespace) -> None:
    """Queue the preset `name` as an experiment; params.yaml is as before afterwards."""
    changes = ["compute.threads=1", f"train.precision={options.precision}", *([] if options.in_full else CUTS[name])]
    committed = PARAMS_FILE.read_bytes()
    try:
        apply_preset(name)
        settings = [part for change in changes for part in ("-S", change)]
        _dvc("exp", "run", "--queue", "--force", "--name", PREFIX + name, "-C", str(options.fer2013), *settings)
    finally:
        with atomic_path(PARAMS_FILE) as temporary:
            temporary.write_bytes(committed)
    print(f"queued {name}: {', '.join(changes)}")


def start(jobs: int) -> None:
    """Start the workers of the queue. They hold on to the output that they are given, so it is none of ours."""
    command = (DVC, "queue", "start", "-j", str(jobs))
    if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
        raise InputError(f"`{' '.join(command)}` failed; run it by hand to see why")


def follow(names: list[str], faces_wild: Path, jobs: int) -> None:
    """Keep the figures of each experiment as it ends; return once all have.

    A worker of DVC may end while experiments wait. Then another one is started.

    Raises:
        InputError: some failed; the others were kept.
    """
    waiting, failed = set(names), []
    while waiting:
        time.sleep(30)  # asking DVC takes seconds of a core
        states = read_states()
        if "Queued" in states.values() and list(states.values()).count("Running") < jobs:
            start(jobs)
        for name in sorted(waiting):
            if states.get(name) == "Success":
                collect(name)
                measure_photos(name, load_experiment(name), faces_wild)
            elif states.get(name) == "Failed":
                failed.append(name)
            else:
                continue
            waiting.remove(name)
            print(f"{time.strftime('%H:%M')} {name}: {states[name]}", flush=True)
    if failed:
        logs = " or ".join(f"`dvc queue logs {PREFIX}{name}`" for name in failed)
        raise InputError(f"{', '.join(failed)} failed; {logs} says why")


def read_states() -> dict[str, str]:
    """Return the state of each of our experiments: Queued, Running, Success or Failed; the newest counts."""
    rows = re.findall(rf"^\w+\s+{PREFIX}(\S+)\s.*?(\w+)\s*$", _dvc("queue", "status"), flags=re.MULTILINE)
    return dict(reversed(rows))


def collect(name: str) -> None:
    """Record the figures of the experiment of `name`, and how long its training took."""
    reference = find_experiment(PREFIX + name)
    evaluation, training, dataset = (
        json.loads(_git("show", f"{reference}:metrics/{file}.json")) for file in ("evaluate", "train", "dataset")
    )
    params: dict[str, Any] = YAML(typ="safe").load(_git("show", f"{reference}:{PARAMS_FILE}"))
    seconds = re.findall(r"^trained \d+ epochs in (\d+) s", _dvc("queue", "logs", PREFIX + name), flags=re.MULTILINE)
    time = {"threads": params["compute"]["threads"]} | ({"seconds": int(seconds[-1])} if seconds else {})
    code = _git("rev-parse", "--short", f"{reference}^").strip()
    write_run(make_run(ROWS + name, name, params, evaluation, training, time, dataset, code))


def load_experiment(name: str) -> Engine:
    """Return the model of the experiment of `name`, from the cache of DVC."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MODEL.name
        _dvc("get", ".", MODEL.as_posix(), "--rev", find_experiment(PREFIX + name), "--out", str(path))
        return load_engine(path)


def measure_photos(name: str, engine: Engine, faces_wild: Path) -> None:
    """Record the scores of a system on the photographs, over those of the five emotions that it knows."""
    emotions = [emotion for emotion in FIVE if emotion in engine.metadata.emotions]
    scores = measure({faces_wild: emotions}, {name: lambda: engine})[faces_wild.stem][name]["all"]
    systems = read_json(PHOTOS) if PHOTOS.is_file() else {}
    systems[name] = {score: scores[score] for score in PHOTO_SCORES}
    write_json(PHOTOS, dict(sorted(systems.items())))


def find_experiment(name: str) -> str:
    """Return the git reference of the newest experiment `name`."""
    found = _git("for-each-ref", "--sort=-committerdate", "--format=%(refname)", "refs/exps").split()
    for reference in found:
        if reference.endswith(f"/{name}"):
            return reference
    raise InputError(f"the experiment {name} left nothing; `dvc queue logs {name}` says why")


def measure_latency() -> None:
    """Measure how long a face takes with each system that has figures; the weights do not matter for that."""
    from emotion.model_files import keras_setup

    keras_setup.set_up(threads=1, seed=0)
    from benchmarks.latency import milliseconds_a_face, to_tflite
    from emotion.networks.registry import build

    milliseconds = {}
    for name in (name for name in SYSTEMS if ROWS + name in read_runs()):
        params = read_preset(name)
        classes = len(resolve_scheme(params.labels.scheme).emotions)
        network = build(params.train.architecture, params.features.image_size, params.features.channels, classes)
        milliseconds[name] = milliseconds_a_face(to_tflite(network))
    write_json(LATENCY, {"machine": keras_setup.processor(), "milliseconds_a_face": milliseconds})


def _dvc(*arguments: str) -> str:
    return _run(DVC, *arguments)


def _git(*arguments: str) -> str:
    return _run("git", *arguments)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise InputError(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")
    return done.stdout


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--fer2013", type=Path, default=Path("data/raw/fer2013.tar.gz"), help="FER2013, in data/raw/")
    parser.add_argument("--faces-wild", type=Path, default=FACES_WILD, help="a folder or tar file (%(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="experiments at a time (2)")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="run these systems, again if need be")
    parser.add_argument("--in-full", action="store_true", help="run the presets as they are: a night or two")
    parser.add_argument("--precision", default="float32", help="train.precision of all runs (float32)")
    return parser


if __name__ == "__main__":
    main()
