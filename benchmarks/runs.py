"""Records of trainings: one row a run in results/runs.csv.

    python -m benchmarks.runs NAME --preset fer2013

The command records the run that the workspace holds, after `dvc repro`. A row of the same name is replaced.
"""

import argparse
import csv
import json
from pathlib import Path
from typing import Any

from benchmarks.tables import read_rows
from emotion.app.preset.presets import PRESETS
from emotion.core.errors import InputError, run_command
from emotion.core.files import atomic_path, read_json
from emotion.core.params import PARAMS_FILE, Params, check_params, read_yaml
from emotion.core.paths import DATASET_METRICS, EVALUATION_METRICS, TRAINING_METRICS, TRAINING_TIME

RESULTS = Path("results")
RUNS = RESULTS / "runs.csv"

SCORES = {
    "validation": ("images", "accuracy", "macro_f1", "log_loss"),
    "test": (
        "images",
        "accuracy",
        "accuracy_low",
        "accuracy_high",
        "macro_f1",
        "macro_f1_low",
        "macro_f1_high",
        "log_loss",
        "expected_calibration_error",
        "calibrated_log_loss",
        "calibrated_expected_calibration_error",
    ),
    "test_unique": ("images", "accuracy"),
}
"""The metrics that are kept of each split: PublicTest, PrivateTest, and PrivateTest without copies."""

COLUMNS = (
    "name",
    "preset",
    "overrides",
    "seed",
    "data_sha256",
    "code",
    "classes",
    "commonest_class",
    *(f"{split}.{score}" for split, scores in SCORES.items() for score in scores),
    "parameters",
    "multiply_adds",
    "best_epoch",
    "epochs",
    "minutes",
    "processor",
    "threads",
    "accelerator",
    "backend",
)

ABSENT = {"train.processes": "1", "train.teacher_inputs": "augmented"}
"""Values that a run had before its param existed, where that is not null."""

Run = dict[str, str]


def main() -> None:
    """Record the run of the workspace under the name on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="name of the row")
    parser.add_argument("--preset", required=True, help="preset that the run began with")
    options = parser.parse_args()
    run_command(lambda: record_workspace(options.name, options.preset))


def record_workspace(name: str, preset: str) -> None:
    """Write the row of the run that the workspace holds."""
    evaluation, training, time, dataset = (
        read_json(path, "run `dvc repro` first")
        for path in (EVALUATION_METRICS, TRAINING_METRICS, TRAINING_TIME, DATASET_METRICS)
    )
    write_run(make_run(name, preset, read_yaml(PARAMS_FILE), evaluation, training, time, dataset))


def make_run(
    name: str,
    preset: str,
    params: dict[str, Any],
    evaluation: dict[str, Any],
    training: dict[str, Any],
    time: dict[str, Any],
    dataset: dict[str, Any] | None = None,
    code: str = "",
) -> Run:
    """Return the row of a run.

    Args:
        name: of the row.
        preset: that the run began with.
        params: of the run, as params.yaml has them.
        evaluation: content of metrics/evaluate.json.
        training: content of metrics/train.json.
        time: content of the time file of training, empty where none was kept.
        dataset: content of metrics/dataset.json.
        code: commit of the code.
    """
    support = [scores["support"] for scores in evaluation["by_class"].values()]
    values = {
        "name": name,
        "preset": preset,
        "overrides": find_overrides(preset, params),
        "seed": params["train"]["seed"],
        "data_sha256": (dataset or {}).get("sha256"),
        "code": code,
        "classes": len(support),
        "commonest_class": round(max(support) / evaluation["test"]["images"], 5),
        **{f"{split}.{score}": evaluation[split].get(score) for split, scores in SCORES.items() for score in scores},
        **{key: training[key] for key in ("parameters", "multiply_adds", "best_epoch", "epochs")},
        "minutes": round(time["seconds"] / 60, 2) if "seconds" in time else None,
        **{key: time.get(key) for key in ("processor", "threads", "accelerator", "backend")},
    }
    return {column: "" if values[column] is None else str(values[column]) for column in COLUMNS}


def find_overrides(preset: str, params: dict[str, Any]) -> str:
    """Return the params that differ from those of the preset: `train.seed=2014 train.epochs=30`."""
    overrides = []
    for section, values in read_yaml(PRESETS / f"{preset}.yaml").items():
        for key, expected in values.items():
            value = params[section].get(key, ABSENT.get(f"{section}.{key}"))
            if value != expected:
                overrides.append(f"{section}.{key}={json.dumps(value, separators=(',', ':'))}")
    return " ".join(overrides)


def read_preset(name: str) -> Params:
    """Return the params with which `emotion preset NAME` runs: its values over those of params.yaml."""
    path = PRESETS / f"{name}.yaml"
    preset = read_yaml(path)
    content = {section: values | preset.get(section, {}) for section, values in read_yaml(PARAMS_FILE).items()}
    return check_params(content, "labels", "features", "train", name=str(path))


def read_runs() -> dict[str, Run]:
    """Return the rows by their names; none where the file is missing."""
    if not RUNS.is_file():
        return {}
    return {row["name"]: row for row in read_rows(RUNS)}


def read_run(name: str) -> Run:
    """Return the row `name`.

    Raises:
        InputError: there is none.
    """
    runs = read_runs()
    if name not in runs:
        raise InputError(
            f"{RUNS} has no row {name!r}, expected one of {', '.join(sorted(runs))}; run it, then "
            f"`python -m benchmarks.runs {name} --preset PRESET`"
        )
    return runs[name]


def write_run(run: Run) -> None:
    """Put a row into the file, in place of an earlier one of its name."""
    runs = read_runs() | {run["name"]: run}
    with atomic_path(RUNS) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(runs[name] for name in sorted(runs))


def scores_of(run: Run, split: str) -> dict[str, float]:
    """Return the metrics of a split, under the names that metrics/evaluate.json has."""
    return {name: float(run[f"{split}.{name}"]) for name in SCORES[split] if run[f"{split}.{name}"]}


if __name__ == "__main__":
    main()
