"""Trainings of the preset photo by seed: on PrivateTest by FER+'s labels, and on faces_wild.

    python -m benchmarks.photo_seeds
    python -m benchmarks.photo_seeds --faces-wild ../shared/data/faces_wild.tar

It records the run that the workspace holds, after `emotion preset photo` and `dvc repro`, or the same with another
`train.seed`. results/photo_seeds.json gets its scores under the seed; `make figures` writes the table.
"""

import argparse
from pathlib import Path

from benchmarks.outside import measure
from benchmarks.outside_tables import FACES_WILD, FIVE
from benchmarks.photo_tables import SEEDS, find_agreed
from benchmarks.runs import find_overrides
from emotion.core.errors import InputError, run_command
from emotion.core.files import read_json, write_json
from emotion.core.params import PARAMS_FILE, read_yaml
from emotion.core.paths import EVALUATION_METRICS, MODEL, TRAINING_TIME
from emotion.runtimes.engines import load_engine

PRESET = "photo"
REPRO = "run `dvc repro` first"
AGREED = ("images", "accuracy")
SCORES = (*AGREED, "macro_f1", "calibrated_expected_calibration_error")


def main() -> None:
    """Record the run of the workspace by the options on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces-wild", type=Path, default=FACES_WILD, help="a folder or tar file (%(default)s)")
    arguments = parser.parse_args()
    run_command(lambda: record(arguments.faces_wild))


def record(faces_wild: Path) -> None:
    """Write the scores of the run that the workspace holds.

    Raises:
        InputError: the run is not one of the preset but for its seed, it has no results, or faces_wild is missing.
    """
    params = read_yaml(PARAMS_FILE)
    seed = params["train"]["seed"]
    if overrides := find_overrides(PRESET, params):
        raise InputError(
            f"{PARAMS_FILE}: got {overrides}, expected the preset {PRESET} with any train.seed; run `emotion preset "
            f"{PRESET}`, set the seed, and run `dvc repro`"
        )
    if not faces_wild.exists():
        raise InputError(f"not here: {faces_wild}; name faces_wild with --faces-wild")
    evaluation = read_json(EVALUATION_METRICS, REPRO)
    model = f"seed {seed}"
    wild = measure({faces_wild: FIVE}, {model: lambda: load_engine(MODEL)})[faces_wild.stem][model]["all"]
    seeds = read_json(SEEDS) if SEEDS.is_file() else {}
    seeds[str(seed)] = {
        "minutes": round(read_json(TRAINING_TIME, REPRO)["seconds"] / 60, 1),
        "test": {name: evaluation["test"][name] for name in SCORES},
        "agreed": {name: find_agreed(evaluation)[name] for name in AGREED},
        "faces_wild": {
            **{name: wild[name] for name in SCORES},
            "recall": {emotion: wild["by_emotion"][emotion]["recall"] for emotion in FIVE},
        },
    }
    write_json(SEEDS, dict(sorted(seeds.items())))
    print(f"{SEEDS} has the seeds {', '.join(sorted(seeds))}. `make figures` writes the table")


if __name__ == "__main__":
    main()
