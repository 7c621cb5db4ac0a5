"""A git repository with metrics files, without a pipeline."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from emotion.core.paths import DATASET_METRICS, EVALUATION_METRICS, EXPORT_METRICS, TRAINING_METRICS

CONTENTS: dict[Path, dict[str, Any]] = {
    EVALUATION_METRICS: {
        "test": {"images": 300, "accuracy": 0.94, "accuracy_low": 0.91, "accuracy_high": 0.97, "log_loss": 0.25},
        "test_unique": {"images": 293, "accuracy": 0.93, "log_loss": 0.24},
        "by_class": {"happy": {"recall": 0.95, "support": 200}, "sad": {"recall": None, "support": 100}},
        "validation": {"images": 299, "accuracy": 0.92},
        "temperature": 0.5,
    },
    EXPORT_METRICS: {name: {"bytes": 1234567, "accuracy": 0.9, "agreement": 0.5} for name in ("keras", "onnx")},
    TRAINING_METRICS: {"precision": "float32", "best_epoch": 17, "train": {"loss": 0.65, "accuracy": 0.925}},
    DATASET_METRICS: {
        "source_images": 3000,
        "images": {"total": 2987, "train": {"total": 2388, "happy": 588}, "test": {"total": 300, "happy": 73}},
        "sha256": "5b47b7ce1d73f3c3" * 4,
    },
}

TWO_EMOTIONS = {
    **CONTENTS[EVALUATION_METRICS],
    "threshold": {
        "used": 0.5,
        "validation_choice": 0.31,
        "at_validation_choice": {
            "validation": {"accuracy": 0.95, "macro_f1": 0.9},
            "test": {"accuracy": 0.925, "macro_f1": 0.875},
        },
    },
}
"""metrics/evaluate.json of two emotions. Those of more have no threshold."""


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def edit(path: Path, *keys: str, value: Any) -> None:
    """Change one value of a JSON file, at nested keys."""
    content = json.loads(path.read_text(encoding="utf-8"))
    inner = content
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    write(path, content)


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(message: str = "Results") -> str:
    """Commit everything and return the hash."""
    git("add", "--all")
    git("commit", "--quiet", "--allow-empty", "--message", message)
    return git("rev-parse", "HEAD")


def make_repository(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `folder` the working folder and a repository whose only commit has CONTENTS."""
    monkeypatch.chdir(folder)
    for variable in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{variable}_NAME", "Test")
        monkeypatch.setenv(f"{variable}_EMAIL", "test@example.com")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git("init", "--quiet", "--initial-branch=main")
    for path, content in CONTENTS.items():
        write(path, content)
    commit()
