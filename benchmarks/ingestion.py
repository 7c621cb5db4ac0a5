"""From FER2013 to .npy files: our two stages against the usual way, in time and peak memory.

    python -m benchmarks.ingestion --fer2013 ../shared/data/fer2013.tar.gz

- CSV: `create_dataframe` and `extract_features` on fer2013.tar.gz, against pandas.read_csv, then
  np.array(text.split()) row by row, then stack and save.
- folder: the same two stages on 35,887 small JPEG files in class folders, against Keras' load_img and img_to_array
  in a loop, then stack and save.

Both ways take turns, each in a fresh process on warm files. Starting Python and its imports do not count. The images
that the two ways write are compared as well; ours leaves out copies of test images.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emotion.app.preset.presets import apply_preset
from emotion.core.files import read_json, write_json

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "results/ingestion.json"
FOLDER = Path("data/raw")
WORK = {"csv": Path("csv"), "folder": Path("folder")}


def run_stages() -> Callable[[], None]:
    """Return a function that runs our stages in the current folder."""
    from stages import create_dataframe, extract_features, resolve_faces

    def run() -> None:
        resolve_faces.main()
        resolve_faces.main()
        create_dataframe.main()
        extract_features.main()

    return run


def read_fer2013(archive: Path) -> Any:
    """Return fer2013.csv out of its archive as a data frame."""
    with tarfile.open(archive) as tar:
        file = tar.extractfile("fer2013/fer2013.csv")
        if file is None:
            raise FileNotFoundError(f"{archive} holds no file fer2013/fer2013.csv")
        return pd.read_csv(file)


def usual_csv() -> Callable[[], None]:
    """Return a function that reads the CSV file as most scripts for FER2013 do."""

    def run() -> None:
        table = read_fer2013(FOLDER / "fer2013.tar.gz")
        images = [np.array(text.split(), dtype=np.uint8).reshape(48, 48, 1) for text in table["pixels"]]
        np.save("usual_x.npy", np.stack(images))
        np.save("usual_y.npy", table["emotion"].to_numpy())

    return run


def usual_folder() -> Callable[[], None]:
    """Return a function that reads a folder of images as most scripts with Keras do."""
    from keras.utils import img_to_array, load_img

    def run() -> None:
        names = sorted(FOLDER.glob("*/*/*.jpg"))
        images = [img_to_array(load_img(name, color_mode="grayscale")) for name in names]
        np.save("usual_x.npy", np.stack(images))
        np.save("usual_y.npy", np.array([name.parent.name for name in names]))

    return run


WAYS = {
    ("csv", "usual"): usual_csv,
    ("csv", "ours"): run_stages,
    ("folder", "usual"): usual_folder,
    ("folder", "ours"): run_stages,
}


def cpu_seconds() -> float:
    """Return the processor time of this process and its children."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peak_mib() -> float:
    """Return this process' peak memory. getrusage would count that of the process that started it as well."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(layout: str, way: str) -> None:
    """Run one way in the current folder, and print its time and this process' peak memory as JSON."""
    run = WAYS[layout, way]()
    before = peak_mib()
    cpu = cpu_seconds()
    start = time.perf_counter()
    run()
    result = {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": cpu_seconds() - cpu,
        "imports_mib": before,
        "peak_mib": peak_mib(),
        "peak_of_workers_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }
    print(json.dumps(result))


def measure_apart(work: Path, layout: str, way: str) -> dict[str, float]:
    """Run `measure` in a fresh process in the folder of `layout`."""
    command = [sys.executable, "-m", "benchmarks.ingestion", "--measure", layout, way]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        command, cwd=work / WORK[layout], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{layout}, {way}: {done.stderr}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def prepare(work: Path, archive: Path) -> None:
    """Write the two sources and their params.yaml below `work`."""
    for folder in WORK.values():
        (work / folder / FOLDER).mkdir(parents=True)
        params = work / folder / "params.yaml"
        shutil.copy(ROOT / "params.yaml", params)
        apply_preset("folder", ROOT / "presets", params)
    (work / WORK["csv"] / FOLDER / "fer2013.tar.gz").symlink_to(archive.resolve())
    write_images(archive, work / WORK["folder"] / FOLDER)


def write_images(archive: Path, folder: Path) -> None:
    """Write the rows of fer2013.tar.gz as JPEG files, in the layout of Kaggle's msambare/fer2013."""
    import cv2

    from emotion.core.emotion_names import EMOTIONS

    table = read_fer2013(archive)
    for number, (label, text, usage) in enumerate(zip(table["emotion"], table["pixels"], table["Usage"], strict=True)):
        split = "train" if usage == "Training" else "test"
        path = folder / split / EMOTIONS[label] / f"{usage}_{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.fromstring(text, dtype=np.int64, sep=" ").reshape(48, 48).astype(np.uint8))


def report(layout: str, results: dict[str, list[dict[str, float]]]) -> None:
    """Print a line for each way, and the median ratio of their pairs."""
    for way, runs in results.items():
        seconds = [run["seconds"] for run in runs]
        print(
            f"{layout:7}{way:6} median {statistics.median(seconds):6.2f} s  (from {min(seconds):.2f} to "
            f"{max(seconds):.2f}), {statistics.median(run['cpu_seconds'] for run in runs):6.2f} s of processor, "
            f"peak {max(run['peak_mib'] for run in runs):.0f} MiB ({runs[0]['imports_mib']:.0f} MiB of it imports), "
            f"workers {max(run['peak_of_workers_mib'] for run in runs):.0f} MiB"
        )
    pairs = ratios(results)
    usual, ours = (statistics.median(run["cpu_seconds"] for run in results[way]) for way in ("usual", "ours"))
    print(
        f"{layout:7}ratio  median of {len(pairs)} pairs {statistics.median(pairs):.2f}, worst {min(pairs):.2f}; "
        f"of processor time {usual / ours:.2f}\n"
    )


def summarize(results: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Return the medians of both ways, the peaks of their memory, and the ratio of their times."""
    summary: dict[str, Any] = {
        way: {
            "seconds": statistics.median(run["seconds"] for run in runs),
            "mebibytes": round(max(run["peak_mib"] for run in runs)),
            "worker_mebibytes": round(max(run["peak_of_workers_mib"] for run in runs)),
        }
        for way, runs in results.items()
    }
    return summary | {"ratio": statistics.median(ratios(results))}


def ratios(results: dict[str, list[dict[str, float]]]) -> list[float]:
    """Return the times of the usual way over ours, pair by pair."""
    pairs = zip(results["usual"], results["ours"], strict=True)
    return [usual["seconds"] / ours["seconds"] for usual, ours in pairs]


def compare_images(work: Path, layout: str) -> None:
    """Print how many images each way wrote, and fail where ours has one that the usual way does not."""
    usual = np.load(work / WORK[layout] / "usual_x.npy", mmap_mode="r")
    known = {np.asarray(image, np.uint8).tobytes() for image in usual}
    splits = [np.load(work / WORK[layout] / f"data/features/x_{split}.npy") for split in ("train", "val", "test")]
    unknown = sum(image.tobytes() not in known for split in splits for image in split)
    print(f"{layout:7}wrote  {sum(map(len, splits))} images, the usual way {len(usual)}; {unknown} differ")
    if unknown:
        sys.exit(1)


def main() -> None:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fer2013", type=Path, help="fer2013.tar.gz")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--layouts", nargs="+", choices=sorted(WORK), default=sorted(WORK))
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(*arguments.measure)
        return
    if not arguments.fer2013 or not arguments.fer2013.is_file():
        parser.error("--fer2013 must name fer2013.tar.gz")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.platform()}, load {os.getloadavg()}")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        prepare(work, arguments.fer2013)
        layouts = {}
        for layout in arguments.layouts:
            results: dict[str, list[dict[str, float]]] = {"usual": [], "ours": []}
            for _ in range(arguments.repeats):
                for way, runs in results.items():
                    runs.append(measure_apart(work, layout, way))
            report(layout, results)
            compare_images(work, layout)
            layouts[layout] = summarize(results)
    if len(layouts) == len(WORK):
        write_json(RESULT, read_json(RESULT) | {"layouts": layouts})


if __name__ == "__main__":
    main()
