"""`dvc repro` on the embedded sample: the whole run, and the one that has nothing to do.

    python -m benchmarks.repro

Runs in a temporary clone of the last commit, without a cache, in the environment of this Python. Starting DVC and
Python counts. A run with nothing to do is also given as a share of the whole run, since seconds differ by machine.
results/repro.json gets the figures.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from emotion.core.files import write_json

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "results/repro.json"


def timed_repro(clone: Path) -> float:
    """Return the seconds that `dvc repro` takes in `clone`."""
    binaries = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    start = time.perf_counter()
    done = subprocess.run([binaries / "dvc", "repro"], cwd=clone, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"dvc repro failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - start


def main() -> None:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="runs with nothing to do; the median counts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        (clone / "dvc.lock").unlink(missing_ok=True)
        whole = timed_repro(clone)
        idle = [timed_repro(clone) for _ in range(arguments.runs)]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    write_json(RESULT, {"whole_seconds": whole, "idle_seconds": statistics.median(idle)})
    print(f"whole sample run: {whole:.1f} s")
    print(f"nothing to do: median {statistics.median(idle):.2f} s ({min(idle):.2f} to {max(idle):.2f})")
    print(f"nothing to do / whole: {statistics.median(idle) / whole:.4f}")


if __name__ == "__main__":
    main()
