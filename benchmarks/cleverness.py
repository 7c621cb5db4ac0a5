"""The gain of each trick over the plain way of a library: each alone, on and off in turns.

    python -m benchmarks.cleverness --fer2013 ../shared/data/fer2013.tar.gz

A trick stays in the code where it saves more than 5 % of a task. The tasks are reading FER2013, reading 35,887 small
files, and `dvc repro` on the sample. Every run is a fresh process; the median counts.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILES = 35_887
KERAS_STAGES = ("train", "evaluate", "export", "explain")

TIMED = """
import json, resource, time
def cpu():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in both)
def timed(run):
    start, before = time.perf_counter(), cpu()
    run()
    print(json.dumps([time.perf_counter() - start, cpu() - before]))
"""

ROWS = """
import tarfile
with tarfile.open(PATH) as tar, tar.extractfile("fer2013/fer2013.csv") as file:
    fields = [line.split(b",")[1] for line in list(file)[1:]]
"""

NUMPY = """
from emotion.ingest.sources.tables.pixel_values import Shape, parse_pixels
timed(lambda: [parse_pixels(field, Shape(48)) for field in fields])
"""

PGM = """
import cv2
import numpy as np
def parse(field):
    text = b"P2 %d 1 65535\\n%b %d\\n" % (48 * 48 + 1, field, 65534)
    values = cv2.imdecode(np.frombuffer(text, np.uint8), cv2.IMREAD_UNCHANGED)
    assert not field.translate(None, b"0123456789 ") and values[0, -1] == 65534 and values[0, :-1].max() <= 255
    return values[0, :-1].astype(np.uint8).reshape(48, 48, 1)
timed(lambda: [parse(field) for field in fields])
"""

GZIP = """
import gzip, io, tarfile
def read():
    with gzip.open(PATH) as packed, tarfile.open(fileobj=packed, mode="r:") as tar:
        for line in io.BufferedReader(tar.extractfile("fer2013/fer2013.csv"), 2**20):
            pass
timed(read)
"""

ZLIB_BLOCKS = """
import tarfile, zlib
class Blocks:
    def __init__(self, file):
        self.file, self.unpacker, self.rest = file, zlib.decompressobj(31), b""
    def read(self, size):
        parts = [self.rest]
        length = len(self.rest)
        while length < size and (packed := self.unpacker.unconsumed_tail or self.file.read(2**20)):
            parts.append(self.unpacker.decompress(packed, 2**23))
            length += len(parts[-1])
        whole = b"".join(parts)
        self.rest = whole[size:]
        return whole[:size]
def read():
    with open(PATH, "rb") as file, tarfile.open(fileobj=Blocks(file), mode="r|", bufsize=2**20) as tar:
        for member in tar:
            content = tar.extractfile(member)
            rest = b""
            while content and (block := content.read(2**20)):
                lines = (rest + block).split(b"\\n")
                rest = lines.pop()
timed(read)
"""

SOURCE = """
import sys
from pathlib import Path
import emotion.parallel.batches
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.content import content_of
from emotion.ingest.sources.file_source import open_file
def read():
    for batch in open_file(Path(PATH), LabelReader()).batches(content_of):
        pass
"""
PROCESSES = SOURCE + "timed(read)"
ONE_PROCESS = SOURCE + "emotion.parallel.batches._count_workers = lambda batches: 1\ntimed(read)"

FILE_NAMES = """
import os
from pathlib import Path
names = sorted(entry.path for entry in os.scandir(PATH))
"""
UNBUFFERED = (
    FILE_NAMES + "from emotion.data.images import read_bytes\ntimed(lambda: [read_bytes(name) for name in names])"
)
PATHS = (
    FILE_NAMES
    + """
def read(name):
    path = Path(name)
    return path.read_bytes() if path.stat().st_size < 2**26 else None
timed(lambda: [read(name) for name in names])
"""
)
DESCRIPTORS = (
    FILE_NAMES
    + """
def read(name):
    descriptor = os.open(name, os.O_RDONLY)
    try:
        return os.read(descriptor, 2**16)
    finally:
        os.close(descriptor)
timed(lambda: [read(name) for name in names])
"""
)

IMPORT = """
import gc, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
disable, freeze = gc.disable, gc.freeze
gc.disable = gc.freeze = lambda: None  # so that the project's own set-up does not do it
"""
LEAVE_OUT = "for name in ('matplotlib', 'sklearn'): sys.modules[name] = None\n"
PUT_BACK = "for name in ('matplotlib', 'sklearn'): del sys.modules[name]\n"


def import_code(stage: str, *, collector: bool, left_out: bool) -> str:
    """Return code that loads Keras, then a stage, with and without the two tricks."""
    before = ("disable()\n" if collector else "") + (LEAVE_OUT if left_out else "")
    after = (PUT_BACK if left_out else "") + ("freeze(); gc.enable()\n" if collector else "")
    return f"{IMPORT}{before}import keras\n{after}import stages.{stage}\n"


def run_apart(code: str) -> tuple[float, float]:
    """Run `code` in a fresh process; return the seconds, and those of the processor, that it reports or takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    if done.stdout:
        wall, cpu = json.loads(done.stdout)
        return wall, cpu
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(title: str, ways: dict[str, str], repeats: int) -> None:
    """Run each way `repeats` times, in turns, and print the medians."""
    runs: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way, code in ways.items():
            runs[way].append(run_apart(code))
    for way, times in runs.items():
        wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{title:12} {way:36} {wall:6.2f} s, {cpu:6.2f} s of processor", flush=True)


def write_small_files(folder: Path) -> None:
    """Write many small files into a folder."""
    content = os.urandom(1500)
    for number in range(FILES):
        (folder / f"{number}.jpg").write_bytes(content)


def main() -> None:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fer2013", type=Path, required=True, help="fer2013.tar.gz")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=["fer2013", "files", "keras"], help="one part alone")
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()}")
    path = TIMED + f"PATH = {str(arguments.fer2013.resolve())!r}\n"
    if arguments.only in (None, "fer2013"):
        pixels = {"numpy.fromstring": path + ROWS + NUMPY, "a fake PGM for OpenCV": path + ROWS + PGM}
        compare("pixels", pixels, arguments.repeats)
        lines = {"gzip and tarfile": path + GZIP, "zlib block by block": path + ZLIB_BLOCKS}
        compare("lines", lines, arguments.repeats)
        processes = {"one process": path + ONE_PROCESS, "map_batches": path + PROCESSES}
        compare("rows", processes, arguments.repeats)
    if arguments.only in (None, "files"):
        with tempfile.TemporaryDirectory() as name:
            write_small_files(Path(name))
            code = TIMED + f"PATH = {name!r}\n"
            ways = {"Path.read_bytes": PATHS, "open, unbuffered": UNBUFFERED, "os.open": DESCRIPTORS}
            compare("files", {way: code + text for way, text in ways.items()}, arguments.repeats)
    if arguments.only in (None, "keras"):
        for stage in KERAS_STAGES:
            ways = {
                "plain": import_code(stage, collector=False, left_out=False),
                "collector off, then frozen": import_code(stage, collector=True, left_out=False),
                "matplotlib and sklearn left out": import_code(stage, collector=False, left_out=True),
                "both": import_code(stage, collector=True, left_out=True),
            }
            compare(stage, ways, arguments.repeats)


if __name__ == "__main__":
    main()
