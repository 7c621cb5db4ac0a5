"""Thousands of requests, half of them bad, 8 at a time: each good one is answered, and memory does not grow."""

import random
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import numpy as np
import psutil
import pytest

from tests.app.serve.serving import JPEG, gray
from tests.makers import encode

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
REQUESTS, AT_A_TIME = 10_000, 8
WARM_UP = 0.2
"""Share of the requests after which memory should grow no more."""

GROWTH = 20 * 2**20
"""Bytes by which memory may grow after that."""

LONGEST_MINUTES = 20

UNLIMITED = """
from emotion.app.cli import main
from emotion.app.serve.token_bucket import TokenBucket
TokenBucket.wait = lambda self, client: 0
main()
"""

GOOD = encode(gray(48, 48), ".jpg")
BAD = {
    "no image": (b"This is a text.", JPEG, 422),
    "cut off": (GOOD[:-50], JPEG, 422),
    "empty": (b"", JPEG, 422),
    "another type": (GOOD, {"content-type": "text/plain"}, 415),
    "too large": (bytes(17 * 2**20), JPEG, 413),
}


def test_the_server_stands_a_soak(model):
    command = [sys.executable, "-c", UNLIMITED, "serve", "--model", str(model), "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address
        times, memory = soak(f"{address[0]}/api/predict", psutil.Process(process.pid))
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=30)
    print(f"{REQUESTS} requests: p50 {np.median(times) * 1000:.0f} ms, p99 {np.quantile(times, 0.99) * 1000:.0f} ms")
    print(f"memory: {memory[0] / 2**20:.0f} MiB after {WARM_UP:.0%} of them, {memory[1] / 2**20:.0f} MiB at the end")
    assert memory[1] - memory[0] < GROWTH
    assert errors == ""


def soak(url: str, process: psutil.Process) -> tuple[list[float], list[int]]:
    """Return the seconds of each good request, and the bytes of memory after the warm-up and at the end."""
    chosen = random.Random(1).choices([None, *BAD], [len(BAD), *[1] * len(BAD)], k=REQUESTS)
    deadline = time.monotonic() + 60 * LONGEST_MINUTES
    times: list[float] = []

    def send(kind: str | None) -> None:
        assert time.monotonic() < deadline, "the soak takes too long"
        data, headers, expected = (GOOD, JPEG, 200) if kind is None else BAD[kind]
        started = time.monotonic()
        answer = client.post(url, content=data, headers=headers)
        assert answer.status_code == expected, (kind, answer.text)
        if kind is None:
            times.append(time.monotonic() - started)

    memory = []
    warm = int(WARM_UP * REQUESTS)
    with httpx2.Client(timeout=60) as client, ThreadPoolExecutor(AT_A_TIME) as threads:
        for part in (chosen[:warm], chosen[warm:]):
            list(threads.map(send, part))
            family = [process, *process.children(recursive=True)]
            memory.append(sum(member.memory_info().rss for member in family))
    return times, memory
