"""The stages evaluate and plot on files, with a model that stands in for Keras."""

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from emotion.errors import InputError
from emotion.labels import EMOTIONS
from emotion.paths import EVALUATION_METRICS, FEATURES, HISTORY, PLOTS, PREDICTIONS, TABLE, TRAINING_METRICS
from emotion.table import COLUMNS
from stages import evaluate, plot

ROOT = Path(__file__).parents[2]
SIZE = 12
COUNTS = {"train": 140, "val": 70, "test": 105}


class PictureReader:
    """Reads the label that `make_files` hid in each picture, wrong for every fourth."""

    def __init__(self):
        self.asked = []
        self.form = SimpleNamespace(emotions=EMOTIONS, size=SIZE, color="grey")

    def predict(self, x, *, batch_size, verbose):
        self.asked.append(len(x))
        labels = np.where(x[:, 0, 0, 0] % 4 == 0, (x[:, 1, 1, 0] + 1) % 7, x[:, 1, 1, 0])
        return 0.05 + 0.65 * np.eye(7, dtype=np.float32)[labels]


@pytest.fixture
def model(tmp_path, monkeypatch):
    """Make the stages' files in a folder and go there; return the model that `load_model` gives."""
    monkeypatch.chdir(tmp_path)
    make_files()
    reader = PictureReader()
    stand_in = SimpleNamespace(load_model=lambda path: (reader, reader.form))
    monkeypatch.setitem(sys.modules, "emotion.model_file", stand_in)
    monkeypatch.setitem(sys.modules, "emotion.runtime", SimpleNamespace(set_up=lambda threads, seed: None))
    return reader


def make_files():
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    FEATURES.mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = []
    for split, count in COUNTS.items():
        images = rng.integers(0, 256, (count, SIZE, SIZE, 1), dtype=np.uint8)
        labels = (np.arange(count) % 7).astype(np.int32)
        images[:, 1, 1, 0] = labels
        np.save(FEATURES / f"x_{split}.npy", images)
        np.save(FEATURES / f"y_{split}.npy", labels)
        rows += [make_row(split, label, number) for number, label in enumerate(labels)]
    # A copy of the first test picture that training leaves out, and an excluded test row between the others
    rows.insert(10, make_row("train", 0, 0) | {"hash": "test 0", "excluded": "copy of test"})
    rows.insert(-5, make_row("test", -1, 999) | {"emotion": "happy", "excluded": "scheme"})
    pd.DataFrame(rows)[list(COLUMNS)].to_csv(TABLE, index=False)
    HISTORY.parent.mkdir(parents=True)
    history = {"epoch": [1, 2], "size": SIZE, "loss": [2.0, 1.0], "accuracy": [0.2, 0.5]}
    pd.DataFrame(history | {"val_loss": [2.0, 1.1], "val_accuracy": [0.3, 0.4]}).to_csv(HISTORY, index=False)
    TRAINING_METRICS.write_text(json.dumps({"best_epoch": 2}))


def make_row(split, label, number):
    place = f"{split} {number}"
    form = {"height": SIZE, "width": SIZE, "channels": 1, "hash": place, "copy_of": "", "blank": False, "offset": 0}
    return {"picture": place, "emotion": EMOTIONS[label], "label": label, "split": split, "excluded": "", **form}


def poison(split):
    labels = np.load(FEATURES / f"y_{split}.npy")
    np.save(FEATURES / f"y_{split}.npy", (labels + 1) % 7)
    table = pd.read_csv(TABLE, keep_default_na=False)
    chosen = (table["split"] == split) & (table["excluded"] == "")
    table.loc[chosen, "label"] = (table.loc[chosen, "label"] + 1) % 7
    table.loc[chosen, "emotion"] = [EMOTIONS[label] for label in table.loc[chosen, "label"]]
    table.to_csv(TABLE, index=False)


def run_evaluate():
    evaluate.main()
    return json.loads(EVALUATION_METRICS.read_text(encoding="utf-8"))


def test_each_split_is_predicted_once(model):
    run_evaluate()
    assert model.asked == [COUNTS["val"], COUNTS["test"]]


def test_figures_and_rows_belong_together(model):
    report = run_evaluate()
    predictions = pd.read_csv(PREDICTIONS)
    assert predictions["picture"].tolist() == [f"test {number}" for number in range(COUNTS["test"])]
    assert report["test"]["accuracy"] == pytest.approx(predictions["correct"].mean(), abs=1e-5)
    assert report["test"]["pictures"] == COUNTS["test"]
    assert report["test_unique"]["pictures"] == COUNTS["test"] - 1
    assert list(report["by_class"]) == list(EMOTIONS)


def test_poisoned_test_labels_leave_every_choice_alone(model):
    honest = run_evaluate()
    poison("test")
    lied_to = run_evaluate()
    assert lied_to["temperature"] == honest["temperature"]
    assert lied_to["validation"] == honest["validation"]
    assert lied_to["test"]["accuracy"] < honest["test"]["accuracy"]


def test_poisoned_validation_labels_leave_the_test_figures_alone(model):
    honest = run_evaluate()
    rows = PREDICTIONS.read_bytes()
    poison("val")
    lied_to = run_evaluate()
    assert lied_to["temperature"] != honest["temperature"]
    assert PREDICTIONS.read_bytes() == rows
    raw = {name for name in honest["test"] if not name.startswith("calibrated")}
    assert {name: lied_to["test"][name] for name in raw} == {name: honest["test"][name] for name in raw}


def test_the_same_bytes_twice(model):
    outputs = []
    for _ in range(2):
        evaluate.main()
        files = [EVALUATION_METRICS, *sorted(PREDICTIONS.parent.iterdir())]
        outputs.append({path: path.read_bytes() for path in files})
    assert outputs[0] == outputs[1]


def test_a_table_that_does_not_fit_the_arrays_is_refused(model):
    poison("test")
    np.save(FEATURES / "y_test.npy", np.zeros(COUNTS["test"], dtype=np.int32))
    with pytest.raises(InputError, match="extract_features"):
        evaluate.main()


def test_a_model_of_other_emotions_or_pictures_is_refused(model):
    model.form.emotions = tuple(reversed(EMOTIONS))
    with pytest.raises(InputError, match="another order"):
        evaluate.main()
    model.form.emotions, model.form.size = EMOTIONS, 99
    with pytest.raises(InputError, match="99 x 99"):
        evaluate.main()


def test_plot_writes_every_picture(model):
    evaluate.main()
    plot.main()
    names = "class_balance confusion mistakes pictures precision_recall predictions reliability roc training"
    assert [path.stem for path in sorted(PLOTS.iterdir())] == names.split()
