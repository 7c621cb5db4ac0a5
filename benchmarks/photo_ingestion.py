"""A folder of photos to arrays, with the search for faces: images a second, and peak memory.

    python -m benchmarks.photo_ingestion --photos ../shared/data/photos

Photos of about one megapixel are made of those in a folder: each is enlarged or reduced, shifted and encoded again, so
that no two are the same. `create_dataframe` and `extract_features` read them under `features.faces: detect`, in a fresh
process for each number of photos. Memory is flat where the peaks of both numbers are nearly the same. The figures go
into the section `photos` of results/ingestion.json.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.ingestion import FOLDER, RESULT, ROOT, cpu_seconds, peak_mib
from emotion.core.files import read_json, write_json
from emotion.data.images import ImageError, read_image

PIXELS = 2**20
QUALITY = 90
EMOTIONS = ("happy", "sad")
STAGES = ("create_dataframe", "extract_features")


def write_photos(photos: Path, folder: Path, count: int) -> None:
    """Write `count` JPEG files of one megapixel into class folders, from the photos in another folder."""
    originals = [enlarge(image) for image in map(read_photo, sorted(photos.iterdir())) if image is not None]
    for emotion in EMOTIONS:
        (folder / emotion).mkdir(parents=True)

    def write(number: int) -> None:
        generator = np.random.default_rng(number)
        shifted = np.roll(originals[number % len(originals)], generator.integers(-40, 41, 2).tolist(), (0, 1))
        changed = cv2.add(shifted, np.full(4, generator.uniform(-20, 20)))
        path = folder / EMOTIONS[number % len(EMOTIONS)] / f"{number:05}.jpg"
        cv2.imwrite(str(path), changed, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])

    with ThreadPoolExecutor() as executor:
        list(executor.map(write, range(count)))


def read_photo(path: Path) -> np.ndarray | None:
    """Return a photo in BGR, uint8 (height, width, 3); None for another file."""
    try:
        image = read_image(path)
    except ImageError:
        return None
    return cv2.cvtColor(image, cv2.COLOR_RGB2BGR if image.shape[2] == 3 else cv2.COLOR_GRAY2BGR)


def enlarge(image: np.ndarray) -> np.ndarray:
    """Return an image with about PIXELS pixels."""
    height, width = image.shape[:2]
    scale = (PIXELS / (height * width)) ** 0.5
    return cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)


def measure() -> None:
    """Run the stages in the current folder; print the time of each and the peaks of memory as JSON."""
    from stages import create_dataframe, extract_features, resolve_faces

    resolve_faces.main()
    result: dict[str, float] = {"imports_mebibytes": round(peak_mib())}
    for name, stage in zip(STAGES, (create_dataframe, extract_features), strict=True):
        start, cpu = time.perf_counter(), cpu_seconds()
        stage.main()
        result |= {f"{name}_seconds": time.perf_counter() - start, f"{name}_cpu_seconds": cpu_seconds() - cpu}
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(json.dumps(result | {"mebibytes": round(peak_mib()), "worker_mebibytes": round(workers)}))


def measure_apart(photos: Path, count: int, kept: Path | None) -> dict[str, Any]:
    """Make `count` photos in a temporary folder, and measure the stages on them in a fresh process."""
    with tempfile.TemporaryDirectory(dir=kept) as name:
        work = Path(name)
        write_photos(photos, work / FOLDER, count)
        text = (ROOT / "params.yaml").read_text(encoding="utf-8")
        text = text.replace("data/sample", str(FOLDER)).replace("remote: store", "remote: private")
        text = text.replace("faces: as_is", "faces: detect").replace("scheme: seven", "scheme: happy_sad")
        (work / "params.yaml").write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "benchmarks.photo_ingestion", "--measure"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        found = read_json(work / "metrics/dataset.json")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result | {
        "photos": count,
        "without_face": found["without_face"],
        "photos_a_second": count / result["create_dataframe_seconds"],
        "milliseconds_of_processor_a_photo": 1000 * result["create_dataframe_cpu_seconds"] / count,
    }


def main() -> None:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, help="folder with photos of people")
    parser.add_argument("--counts", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--work", type=Path, help="folder for the temporary files")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure()
        return
    if not arguments.photos or not arguments.photos.is_dir():
        parser.error("--photos must name a folder")
    runs = []
    for count in arguments.counts:
        runs.append(measure_apart(arguments.photos.resolve(), count, arguments.work))
        print(json.dumps(runs[-1], indent=2), flush=True)
    write_json(RESULT, read_json(RESULT) | {"photos": runs})


if __name__ == "__main__":
    main()
