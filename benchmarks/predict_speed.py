"""The speed of `emotion predict` on a folder of images, against the PyPI package `fer` image by image.

    python -m benchmarks.predict_speed --model models/model.tflite

The images are made here from scikit-image's photos: cropped, mirrored, lighter and darker. Into most of them the one
face among the photos is pasted, at other sizes and places. They are JPEG files of 512x512 pixels.

- `fer`: `FER(mtcnn=False).detect_emotions(cv2.imread(path))` for each path. It gets our cascade and the smallest face
  of `emotion predict`, and as many OpenCV threads. All else is its default, with its TensorFlow Lite network. What it
  needs for videos is not installed. A module of three lines stands in for `pkg_resources`, by which it finds its own
  files and which setuptools no longer has.
- `emotion predict FOLDER --csv`, the whole command: start, loading, decoding, detection, network, printing. And the
  work alone, without start and loading, which is what is timed of `fer` as well.

Both take turns, each time in a new process. The number of images with a detected face is given, since it is easy to be
fast and detect nothing. Processor time is given, since other work on the machine hardly changes it. Memory is the peak
resident set of the process, for 1,000 and for 5,000 images (the same 1,000 under five names), as CSV and as a table.
Then the time of `emotion --help`, and of one image from start to result.

results/predict_speed.json gets the figures. Nothing else should run on the machine.
"""

import argparse
import csv
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.photos import ASTRONAUT, load_photo
from emotion.core.errors import InputError, run_command
from emotion.core.files import write_json
from emotion.parallel.cores import available_cores

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "results/predict_speed.json"
EMOTION = Path(sys.executable).with_name("emotion")

SEED = 2013
SMALLEST = 50
"""Pixels of the smallest face that both detect: the default of `fer`."""

SHARE_WITH_FACE = 0.8
HEAD = (slice(0, 200), slice(120, 320))
"""The rows and columns of the astronaut's head."""

SCENES = ("chelsea", "coffee", "rocket", ASTRONAUT)
QUALITY = 90

WATCHER = """\
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
figures = [time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]
with open(sys.argv[1], "w") as file:
    json.dump(figures, file)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Starts a command and measures it. A process begins with the memory of the one that started it: hence a small one."""

STAND_IN = """\
import importlib.resources
def resource_filename(package, name):
    return str(importlib.resources.files(package) / name)
"""
"""Instead of pkg_resources, which setuptools no longer has."""

FER_WORK = """\
import json, resource, sys, time
from pathlib import Path
folder, threads, smallest, cascade = sys.argv[1:]
import cv2
cv2.setNumThreads(int(threads))
from fer.fer import FER
detector = FER(mtcnn=False, cascade_file=cascade, min_face_size=int(smallest))
paths = sorted(Path(folder).iterdir())
detector.detect_emotions(cv2.imread(str(paths[0])))
start = time.perf_counter()
with_face = sum(bool(len(detector.detect_emotions(cv2.imread(str(path))))) for path in paths)
print(json.dumps({"seconds": time.perf_counter() - start, "with_face": with_face}))
"""

OUR_WORK = """\
import json, sys, time
from pathlib import Path
folder, threads, smallest, model = sys.argv[1:]
import cv2
cv2.setNumThreads(int(threads))
from emotion.app.predict.image_files import collect_files
from emotion.app.predict.predict_files import cut_pieces, predict_pieces
from emotion.data.images import read_image
from emotion.inference.predictor import Predictor
files = collect_files([folder])
predictor = Predictor(model, smallest=int(smallest), threads=int(threads))
predictor.predict(read_image(files[0].path))
start = time.perf_counter()
with_face = sum(bool(result.faces) for result in predict_pieces(cut_pieces(files), predictor, threads=int(threads)))
print(json.dumps({"seconds": time.perf_counter() - start, "with_face": with_face}))
"""


class Run(NamedTuple):
    """A process that ended: its time, the time of all cores together, its peak memory, and what it printed."""

    seconds: float
    processor_seconds: float
    mebibytes: float
    printed: str


def make_images(folder: Path, count: int, size: int) -> None:
    """Write `count` JPEG files of `size` x `size` pixels."""
    folder.mkdir(parents=True)
    scenes = [load_photo(name) for name in SCENES]
    head = load_photo(ASTRONAUT)[HEAD]
    generator = np.random.default_rng(SEED)
    for number in tqdm(range(count), desc="making images", unit=" images", disable=None):
        image = make_image(scenes[number % len(scenes)], head, size, generator)
        cv2.imwrite(str(folder / f"{number:05}.jpg"), image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


def make_image(scene: np.ndarray, head: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """Return an image, uint8 (size, size, 3): a part of `scene`, mostly with `head` in it, in another light."""
    side = round(generator.uniform(0.6, 1) * min(scene.shape[:2]))
    top, left = (generator.integers(0, length - side + 1) for length in scene.shape[:2])
    image = cv2.resize(scene[top : top + side, left : left + side], (size, size))
    if generator.random() < SHARE_WITH_FACE:
        wide = round(generator.uniform(0.35, 0.8) * size)
        top, left = generator.integers(0, size - wide + 1, 2)
        image[top : top + wide, left : left + wide] = cv2.resize(head, (wide, wide))
    if generator.random() < 0.5:
        image = image[:, ::-1]
    brightened: np.ndarray = np.clip(image * generator.uniform(0.7, 1.2), 0, 255).astype(np.uint8)
    return brightened


def install_fer(folder: Path) -> None:
    """Put the package `fer` into `folder`, with a stand-in for what it misses there."""
    from benchmarks import fer_package  # loads Keras

    fer_package.install(folder)
    (folder / "pkg_resources.py").write_text(STAND_IN, encoding="utf-8")


def run(command: Sequence[object], **environment: str) -> Run:
    """Run a command to its end; InputError with its message where it fails.

    The exit status 3 of `emotion predict` says that not every image has a face.
    """
    words = [str(word) for word in command]
    with tempfile.NamedTemporaryFile() as figures:
        watcher = [sys.executable, "-S", "-E", "-c", WATCHER, figures.name]
        done = subprocess.run(
            [*watcher, *words], capture_output=True, text=True, cwd=ROOT, env=os.environ | environment
        )
        if done.returncode not in (0, 3):
            raise InputError(f"{' '.join(words[:3])} failed: {done.stderr.strip()[-2000:]}")
        seconds, processor_seconds, mebibytes = json.loads(Path(figures.name).read_text(encoding="utf-8"))
        return Run(seconds, processor_seconds, mebibytes, done.stdout)


def predict_command(paths: Path, model: Path, threads: int, output: str = "--csv") -> list[object]:
    """Return the command that reads the images."""
    return [EMOTION, "predict", paths, output, "--model", model, "--threads", threads, "--smallest", SMALLEST]


def compare(folder: Path, package: Path, model: Path, threads: int, rounds: int) -> dict[str, Any]:
    """Return what both take for the images in `folder`, taking turns."""
    from emotion.faces.cascade import CASCADE_FILE

    cascade = f"{cv2.data.haarcascades}{CASCADE_FILE}"  # type: ignore[attr-defined]
    count = len(list(folder.iterdir()))
    paths = f"{package}{os.pathsep}{ROOT}"
    python = [sys.executable, "-c"]
    ways: dict[str, Callable[[], Run]] = {
        "fer": lambda: run([*python, FER_WORK, folder, threads, SMALLEST, cascade], PYTHONPATH=paths),
        "ours": lambda: run([*python, OUR_WORK, folder, threads, SMALLEST, model]),
        "command": lambda: run(predict_command(folder, model, threads)),
    }
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    for name in tqdm([*ways] * rounds, desc="comparing", unit=" runs", disable=None):
        runs[name].append(ways[name]())
    printed = {name: [json.loads(run.printed) for run in runs[name]] for name in ("fer", "ours")}
    seconds = {name: [one["seconds"] for one in printed[name]] for name in printed}
    seconds["command"] = [run.seconds for run in runs["command"]]
    return {
        "images": count,
        "cascade": CASCADE_FILE,
        "smallest": SMALLEST,
        "images_with_a_face": {name: printed[name][0]["with_face"] for name in printed},
        "images_per_second": {name: summarize([count / value for value in seconds[name]]) for name in seconds},
        "processor_milliseconds_per_image": {
            name: 1000 / count * min(run.processor_seconds for run in runs[name]) for name in runs
        },
        "ratio_of_the_work": ratio(seconds["fer"], seconds["ours"]),
        "ratio_of_the_command": ratio(seconds["fer"], seconds["command"]),
        "mebibytes": {name: max(run.mebibytes for run in runs[name]) for name in runs},
    }


def measure_memory(folder: Path, model: Path, threads: int, times: int) -> dict[str, Any]:
    """Return the command's peak memory in MiB by the number of images: those of `folder`, and `times` as many.

    `table` is that of the images in `folder` with --table.
    """
    many = folder.with_name("many")
    many.mkdir()
    images = sorted(folder.iterdir())
    for number in range(times):
        for path in images:
            os.link(path, many / f"{number}-{path.name}")
    peaks: dict[str, Any] = {}
    for place in (folder, many):
        done = run(predict_command(place, model, threads))
        rows = {row["path"] for row in csv.DictReader(io.StringIO(done.printed))}
        if len(rows) != len(list(place.iterdir())):
            raise InputError(f"emotion predict gave {len(rows)} of {len(list(place.iterdir()))} images")
        peaks[str(len(rows))] = round(done.mebibytes)
    peaks["table"] = round(run(predict_command(folder, model, threads, "--table")).mebibytes)
    return peaks


def summarize(values: Sequence[float]) -> dict[str, float]:
    """Return the median and the ends of some values."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> dict[str, float]:
    """Return the factor by which ours is faster, of each round, summarized."""
    return summarize([one / other for one, other in zip(theirs, ours, strict=True)])


def time_starts(image: Path, model: Path, repetitions: int) -> dict[str, Any]:
    """Return the seconds from start to end of the help, and of one image."""
    commands = {
        "help": [EMOTION, "--help"],
        "one_image": [EMOTION, "predict", image, "--model", model],
    }
    for command in commands.values():
        run(command)  # so that all files are in the system's memory
    return {name: summarize([run(command).seconds for _ in range(repetitions)]) for name, command in commands.items()}


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the result file holds."""
    from benchmarks.fer_package import VERSION
    from emotion.model_files.keras_setup import processor

    with tempfile.TemporaryDirectory() as name:
        folder, package = Path(name) / "images", Path(name) / "fer"
        install_fer(package)
        make_images(folder, arguments.images, arguments.size)
        portrait = Path(name) / "portrait.png"
        cv2.imwrite(str(portrait), cv2.cvtColor(load_photo(ASTRONAUT), cv2.COLOR_RGB2BGR))
        return {
            "machine": processor(),
            "threads": arguments.threads,
            "versions": {"python": sys.version.split()[0], "opencv": cv2.__version__, "fer": VERSION},
            "model": arguments.model.name,
            "size": arguments.size,
            "rounds": arguments.rounds,
            **compare(folder, package, arguments.model, arguments.threads, arguments.rounds),
            "command_mebibytes": measure_memory(folder, arguments.model, arguments.threads, arguments.times),
            "seconds": time_starts(portrait, arguments.model, arguments.repetitions),
        }


def show(result: dict[str, Any]) -> None:
    """Print the result."""
    for name, values in result["images_per_second"].items():
        print(f"{name:12}{values['median']:8.1f} images a second ({values['low']:.1f} to {values['high']:.1f})")
    for key in ("ratio_of_the_work", "ratio_of_the_command"):
        values = result[key]
        print(f"{key.replace('_', ' '):24}{values['median']:.2f} ({values['low']:.2f} to {values['high']:.2f})")
    print(f"processor milliseconds an image, start included: {result['processor_milliseconds_per_image']}")
    print(f"images with a face: {result['images_with_a_face']} of {result['images']}")
    print(f"MiB by number of images: {result['command_mebibytes']}; fer: {result['mebibytes']['fer']:.0f}")
    print(", ".join(f"{name}: {values['median']:.2f} s" for name, values in result["seconds"].items()))


def main() -> None:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a .tflite or .onnx file")
    parser.add_argument("--images", type=int, default=1000, help="%(default)s")
    parser.add_argument("--size", type=int, default=512, help="pixels of a side (%(default)s)")
    parser.add_argument("--times", type=int, default=5, help="for the memory: names of each image (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="%(default)s")
    parser.add_argument("--repetitions", type=int, default=5, help="of starts (%(default)s)")
    parser.add_argument("--threads", type=int, default=available_cores(), help="%(default)s")
    parser.add_argument("--out", type=Path, default=RESULT, help="%(default)s")
    arguments = parser.parse_args()
    arguments.model = arguments.model.resolve()
    result = measure(arguments)
    write_json(arguments.out, result)
    show(result)


if __name__ == "__main__":
    run_command(main)
