"""The train stage, on a few random pictures: what it writes, and what it must not look at."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from emotion.features import ARRAYS
from emotion.model_file import load_model
from emotion.params import read_yaml
from emotion.paths import CHECKPOINTS, FEATURES, HISTORY, MODEL, TRAINING_METRICS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch, deterministic):
    """A working directory with params for a short training and features of random pictures."""
    params = read_yaml(ROOT / "params.yaml")
    params["train"] |= {"epochs": 2, "warmup_epochs": 0, "batch_size": 16}
    text = io.StringIO()
    YAML().dump(params, text)
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(text.getvalue(), encoding="utf-8")
    FEATURES.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for name in ARRAYS:
        pictures = generator.integers(0, 256, (21, 24, 24, 1), dtype=np.uint8)
        np.save(FEATURES / f"{name}.npy", pictures if name.startswith("x") else (np.arange(21) % 7).astype(np.int32))
    return tmp_path


def run(monkeypatch):
    """Run the stage and return the bytes of the model; threads are set once a process, by `deterministic`."""
    import keras

    from emotion import runtime
    from stages import train

    monkeypatch.setattr(runtime, "set_up", lambda threads, seed: None)
    keras.utils.clear_session()  # layers get the names that they have in a process of their own
    train.main()
    return MODEL.read_bytes()


def poison(name):
    array = np.load(FEATURES / f"{name}.npy")
    np.save(FEATURES / f"{name}.npy", array[::-1].copy())


def test_the_stage_writes_model_history_and_metrics(project, monkeypatch):
    run(monkeypatch)
    model, form = load_model(MODEL)
    assert (form.size, form.color, len(form.emotions)) == (24, "grey", 7)
    assert model.input_shape == (None, 24, 24, 1)
    history = pd.read_csv(HISTORY)
    assert history["epoch"].tolist() == [1, 2]
    metrics = json.loads(TRAINING_METRICS.read_text(encoding="utf-8"))
    assert metrics["validation"]["accuracy"] == pytest.approx(history["val_accuracy"][metrics["best_epoch"] - 1])
    assert metrics["parameters"] == 170_095
    assert not list(CHECKPOINTS.iterdir())


def test_the_test_split_plays_no_part(project, monkeypatch):
    model = run(monkeypatch)
    for name in ("x_test", "y_test"):
        poison(name)
        assert run(monkeypatch) == model
    poison("y_val")
    run(monkeypatch)
    poisoned = HISTORY.read_text(encoding="utf-8")
    poison("y_val")
    run(monkeypatch)
    assert HISTORY.read_text(encoding="utf-8") != poisoned  # so that the test above can fail


def test_a_failed_stage_keeps_the_old_model(project, monkeypatch):
    model = run(monkeypatch)
    shutil.rmtree(FEATURES)
    with pytest.raises(ValueError, match="extract_features"):
        run(monkeypatch)
    assert MODEL.read_bytes() == model
