"""The train stage runs on JAX where TensorFlow is not installed, and what it writes loads anywhere."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from emotion.core.files import write_json
from emotion.core.params import read_yaml
from emotion.core.paths import EVALUATION_METRICS, FEATURES, HISTORY, MODEL, TRAINED_MODEL, TRAINING_METRICS
from emotion.data.feature_arrays import ARRAYS
from emotion.model_files.keras_file import load_model
from emotion.plots.history import COLUMNS

pytestmark = pytest.mark.tf

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder where JAX has trained on random images, in a process that finds no TensorFlow."""
    folder = tmp_path_factory.mktemp("jax")
    params = read_yaml(ROOT / "params.yaml")
    params["train"] |= {"epochs": 2, "warmup": 0.0, "batch_size": 16, "architecture": "residual_small"}
    params["train"]["inference_size"] = 28
    params["augmentation"]["mixup"] = 0.2
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        YAML().dump(params, file)
    (folder / FEATURES).mkdir(parents=True)
    generator = np.random.default_rng(0)
    for name in ARRAYS:
        images = generator.integers(0, 256, (21, 24, 24, 1), dtype=np.uint8)
        labels = (np.arange(21) % 7).astype(np.int32)
        np.save(folder / FEATURES / f"{name}.npy", images if name.startswith("x") else labels)
    (folder / "absent").mkdir()
    (folder / "absent" / "tensorflow.py").write_text("raise ImportError('not installed')", encoding="utf-8")
    done = run_on_jax(folder, "train")
    assert done.returncode == 0, done.stderr
    return folder


def run_on_jax(folder, stage):
    """Run a stage in `folder`, in a process that finds no TensorFlow."""
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": os.pathsep.join([str(folder / "absent"), str(ROOT)]),
    }
    command = [sys.executable, "-m", f"stages.{stage}"]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )


@pytest.mark.slow
def test_training_on_jax_writes_what_training_on_tensorflow_writes(trained):
    for name in COLUMNS:
        rows = (trained / HISTORY / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
        assert [row.split("\t")[0] for row in rows] == ["step", "1", "2"]
    metrics = json.loads((trained / TRAINING_METRICS).read_text(encoding="utf-8"))
    assert metrics["epochs"] == 2


def test_tensorflow_loads_what_jax_trained_and_predicts_the_same(trained, deterministic):
    model, metadata = load_model(trained / TRAINED_MODEL)
    assert len(metadata.emotions) == 7
    images, labels = (np.load(trained / FEATURES / f"{name}.npy") for name in ("x_val", "y_val"))
    probabilities = model.predict(images, verbose=0)
    metrics = json.loads((trained / TRAINING_METRICS).read_text(encoding="utf-8"))
    assert (probabilities.argmax(axis=1) == labels).mean() == pytest.approx(metrics["validation"]["accuracy"], abs=1e-5)


def test_the_export_needs_tensorflow(trained):
    write_json(trained / EVALUATION_METRICS, {"temperature": 1.0})
    done = run_on_jax(trained, "export")
    assert done.returncode == 1
    assert re.match(r"error: .*\bjax\b.*TensorFlow.*KERAS_BACKEND=tensorflow", done.stderr), done.stderr
    assert not (trained / MODEL).exists()
