"""The stages evaluate and plot on files, with a model that stands in for Keras."""

import json
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.core.paths import (
    EVALUATION_METRICS,
    EXPLANATIONS,
    FEATURES,
    PLOTS,
    PREDICTIONS,
    SHEETS,
    SUMMARY_METRICS,
    TABLE,
    TRAINING_METRICS,
)
from emotion.data.table import COLUMNS
from stages import evaluate, plot
from tests.makers import make_history, write_history

pytestmark = pytest.mark.medium

ROOT = Path(__file__).parents[2]
PAIR = ("happy", "sad")
SIZE = 12
COUNTS = {"train": 140, "val": 70, "test": 105}


class ImageReader:
    """Reads the label that `make_files` hid in each image, wrong for every fourth."""

    def __init__(self, emotions):
        self.batches = []
        self.metadata = SimpleNamespace(emotions=emotions, size=SIZE, color="grayscale")

    def predict(self, x, *, batch_size, verbose):
        self.batches.append(len(x))
        labels = np.where(x[:, 0, 0, 0] % 4 == 0, (x[:, 1, 1, 0] + 1) % 7, x[:, 1, 1, 0])
        return 0.05 + 0.65 * np.eye(7, dtype=np.float32)[labels]


class PairReader(ImageReader):
    """Gives one probability per image, that of label 1: high where it is, but too low for every fourth."""

    def predict(self, x, *, batch_size, verbose):
        self.batches.append(len(x))
        high = np.where(x[:, 0, 0, 0] % 4 == 0, 0.4, 0.9)
        return np.where(x[:, 1, 1, 0] == 1, high, 0.2)[:, None].astype(np.float32)


@pytest.fixture
def model(tmp_path, monkeypatch):
    """Make the stages' files in a folder and go there; return the model that `load_model` gives."""
    return go_there(ImageReader(EMOTIONS), tmp_path, monkeypatch)


@pytest.fixture
def pair_model(tmp_path, monkeypatch):
    """Do as `model` does, with two emotions."""
    return go_there(PairReader(PAIR), tmp_path, monkeypatch)


def go_there(reader, folder, monkeypatch):
    monkeypatch.chdir(folder)
    make_files(reader.metadata.emotions)
    return stand_in(reader, monkeypatch)


def stand_in(reader, monkeypatch):
    """Let the stages load `reader` in place of a model, and no Keras."""
    loader = SimpleNamespace(load_model=lambda path: (reader, reader.metadata))
    monkeypatch.setitem(sys.modules, "emotion.model_files.keras_file", loader)
    monkeypatch.setitem(
        sys.modules, "emotion.model_files.keras_setup", SimpleNamespace(set_up=lambda threads, seed: None)
    )
    return reader


def make_files(emotions):
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    FEATURES.mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = []
    for split, count in COUNTS.items():
        images = rng.integers(0, 256, (count, SIZE, SIZE, 1), dtype=np.uint8)
        labels = (np.arange(count) % len(emotions)).astype(np.int32)
        images[:, 1, 1, 0] = labels
        np.save(FEATURES / f"x_{split}.npy", images)
        np.save(FEATURES / f"y_{split}.npy", labels)
        rows += [make_row(split, label, number, emotions) for number, label in enumerate(labels)]
    # A copy of the first test image that training leaves out, and an excluded test row between the others
    rows.insert(10, make_row("train", 0, 0, emotions) | {"hash": "test 0", "excluded": "copy of test"})
    rows.insert(-5, make_row("test", -1, 999, emotions) | {"emotion": "contempt", "excluded": "scheme"})
    pd.DataFrame(rows)[list(COLUMNS)].to_csv(TABLE, index=False)
    write_history(Path(), make_history())
    TRAINING_METRICS.write_text(json.dumps({"best_epoch": 2}))


def make_row(split, label, number, emotions):
    place = f"{split} {number}"
    columns = {
        "height": SIZE,
        "width": SIZE,
        "channels": 1,
        "hash": place,
        "copy_of": "",
        "blank": False,
        "offset": 0,
        "group": "",
    }
    return {"image": place, "emotion": emotions[label], "label": label, "split": split, "excluded": "", **columns}


def poison(split, emotions=EMOTIONS):
    labels = np.load(FEATURES / f"y_{split}.npy")
    np.save(FEATURES / f"y_{split}.npy", (labels + 1) % len(emotions))
    table = pd.read_csv(TABLE, keep_default_na=False)
    chosen = (table["split"] == split) & (table["excluded"] == "")
    table.loc[chosen, "label"] = (table.loc[chosen, "label"] + 1) % len(emotions)
    table.loc[chosen, "emotion"] = [emotions[label] for label in table.loc[chosen, "label"]]
    table.to_csv(TABLE, index=False)


def run_evaluate():
    evaluate.main()
    return json.loads(EVALUATION_METRICS.read_text(encoding="utf-8"))


def test_each_split_is_predicted_once(model):
    run_evaluate()
    assert model.batches == [COUNTS["val"], COUNTS["test"]]


def test_figures_and_rows_belong_together(model):
    report = run_evaluate()
    predictions = pd.read_csv(PREDICTIONS)
    table = pd.read_csv(TABLE, keep_default_na=False)
    assert table["image"][predictions["row"]].tolist() == [f"test {number}" for number in range(COUNTS["test"])]
    assert report["test"]["accuracy"] == pytest.approx(predictions["correct"].mean(), abs=1e-5)
    assert report["test"]["images"] == COUNTS["test"]
    assert report["test_unique"]["images"] == COUNTS["test"] - 1
    assert list(report["by_class"]) == list(EMOTIONS)


def test_poisoned_test_labels_leave_every_choice_alone(model):
    honest = run_evaluate()
    poison("test")
    poisoned = run_evaluate()
    assert poisoned["temperature"] == honest["temperature"]
    assert poisoned["validation"] == honest["validation"]
    assert poisoned["test"]["accuracy"] < honest["test"]["accuracy"]


def test_poisoned_validation_labels_leave_the_test_figures_alone(model):
    honest = run_evaluate()
    rows = PREDICTIONS.read_bytes()
    poison("val")
    poisoned = run_evaluate()
    assert poisoned["temperature"] != honest["temperature"]
    assert PREDICTIONS.read_bytes() == rows
    raw = {name for name in honest["test"] if not name.startswith("calibrated")}
    assert {name: poisoned["test"][name] for name in raw} == {name: honest["test"][name] for name in raw}


def test_the_same_bytes_twice(model):
    outputs = []
    for _ in range(2):
        evaluate.main()
        files = [EVALUATION_METRICS, SUMMARY_METRICS, *sorted(PREDICTIONS.parent.iterdir())]
        outputs.append({path: path.read_bytes() for path in files})
    assert outputs[0] == outputs[1]


def test_a_table_that_does_not_fit_the_arrays_is_refused(model):
    poison("test")
    np.save(FEATURES / "y_test.npy", np.zeros(COUNTS["test"], dtype=np.int32))
    with pytest.raises(InputError, match="extract_features"):
        evaluate.main()


def test_a_model_of_other_emotions_or_images_is_refused(model):
    model.metadata.emotions = tuple(reversed(EMOTIONS))
    with pytest.raises(InputError, match=r"angry.*order.*dvc repro train"):
        evaluate.main()
    model.metadata.emotions, model.metadata.size = EMOTIONS, 99
    with pytest.raises(InputError, match=r"99 x 99.*dvc repro train"):
        evaluate.main()


def test_a_model_with_another_number_of_outputs_is_refused(pair_model):
    pair_model.predict = ImageReader(EMOTIONS).predict  # seven outputs for two emotions
    with pytest.raises(InputError, match=r"2 emotions \(happy, sad\).*\b7 probabilities.*dvc repro train"):
        evaluate.main()
    assert not EVALUATION_METRICS.exists()


# --- two emotions


def set_threshold(threshold):
    params = Path("params.yaml")
    text, changes = re.subn(r"threshold: [0-9.]+", f"threshold: {threshold}", params.read_text(encoding="utf-8"))
    assert changes == 1
    params.write_text(text, encoding="utf-8")


def test_two_emotions_from_one_output(pair_model):
    report = run_evaluate()
    predictions = pd.read_csv(PREDICTIONS)
    assert set(predictions["happy"] + predictions["sad"]) == {1.0}
    assert report["test"]["accuracy"] == pytest.approx(predictions["correct"].mean(), abs=1e-5)
    assert report["test"]["accuracy"] < 1
    assert list(report["by_class"]) == list(PAIR)
    # Every sad image has at least 0.4 and every happy one 0.2: between them nothing is wrong.
    assert report["threshold"]["used"] == 0.5
    assert report["threshold"]["validation_choice"] == pytest.approx(0.3)
    perfect = {"accuracy": 1.0, "macro_f1": 1.0}
    assert report["threshold"]["at_validation_choice"] == {"validation": perfect, "test": perfect}


def test_the_threshold_in_params_is_used_everywhere(pair_model):
    probabilistic = ("roc_auc", "log_loss", "expected_calibration_error", "calibrated_log_loss")
    even = run_evaluate()
    set_threshold(0.3)
    report = run_evaluate()
    assert report["test"]["accuracy"] == report["by_class"]["sad"]["f1"] == report["validation"]["accuracy"] == 1
    assert pd.read_csv(PREDICTIONS)["correct"].all()
    assert pd.read_csv(PREDICTIONS)["confidence"].min() == 0.4
    assert {name: report["test"][name] for name in probabilistic} == {
        name: even["test"][name] for name in probabilistic
    }


def test_poisoned_test_labels_leave_validations_threshold_alone(pair_model):
    honest = run_evaluate()
    poison("test", PAIR)
    poisoned = run_evaluate()
    assert poisoned["threshold"]["validation_choice"] == honest["threshold"]["validation_choice"]
    assert poisoned["threshold"]["at_validation_choice"]["test"]["accuracy"] == 0


def test_a_threshold_of_seven_emotions_is_refused_before_anything_is_scored(model):
    set_threshold(0.3)
    with pytest.raises(InputError, match=r"evaluate\.threshold: got 0\.3"):
        evaluate.main()
    assert model.batches == []


def share_images(share):
    params = Path("params.yaml")
    text, changes = re.subn(r"share_images: \w+", f"share_images: {str(share).lower()}", params.read_text("utf-8"))
    assert changes == 1
    params.write_text(text, encoding="utf-8")


def names_in(folder):
    return {path.stem for path in folder.iterdir()}


FIGURES = {"class_balance", "confusion", "groups", "precision_recall", "reliability", "roc", "training"}


def test_plot_draws_two_emotions_and_shares_its_sheets_where_params_say_so(pair_model):
    evaluate.main()
    EXPLANATIONS.write_bytes(b"explained")
    plot.main()
    assert names_in(SHEETS) == {"images", "predictions", "mistakes"}
    assert names_in(PLOTS) == FIGURES | names_in(SHEETS) | {"explanations"}
    for sheet in (*SHEETS.iterdir(), EXPLANATIONS):
        assert (PLOTS / sheet.name).read_bytes() == sheet.read_bytes()
    plot.share_sheets(share=False)
    assert names_in(PLOTS) == FIGURES


def test_a_missing_sheet_is_named_with_the_stage_that_makes_it(here):
    with pytest.raises(InputError, match=r"metrics/sheets/images\.png.*dvc repro"):
        plot.share_sheets(share=True)


@pytest.mark.slow
def test_plot_keeps_images_out_of_the_folder_that_git_tracks(model):
    evaluate.main()
    share_images(False)
    plot.main()
    assert names_in(PLOTS) == FIGURES
    assert names_in(SHEETS) == {"images", "predictions", "mistakes"}


def test_the_summary_has_five_figures_of_the_report(model):
    report = run_evaluate()
    summary = json.loads(SUMMARY_METRICS.read_text(encoding="utf-8"))
    test, validation = report["test"], report["validation"]
    assert summary == {
        "test": {"accuracy": test["accuracy"], "macro_f1": test["macro_f1"], "logloss": test["log_loss"]},
        "val": {"accuracy": validation["accuracy"], "logloss": validation["log_loss"]},
    }
