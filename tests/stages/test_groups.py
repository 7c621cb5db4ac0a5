"""Errors by group from a manifest to evaluate.json, summary, plot and card; a network stands in for Keras."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.core.files import write_json
from emotion.core.paths import EVALUATION_METRICS, MODEL_CARD, PLOTS, SUMMARY_METRICS, TRAINING_METRICS
from emotion.evaluation.groups import FEWEST_IMAGES, FEWEST_OF_EMOTION
from emotion.presentation.formats import figure_text, gap_text
from stages import card, create_dataframe, evaluate, extract_features, plot, resolve_faces
from tests.makers import encode, make_history, write_files, write_history, write_params
from tests.stages.test_evaluate_and_plot import SIZE, ImageReader, stand_in

pytestmark = pytest.mark.medium

PERSONS = {"train": 2, "val": 2, "test": 20}
SECRET = "AF01"
"""The name of a person, which may stand in no file that git shares."""


def person_of(split: str, number: int) -> dict[str, str]:
    """Return the columns of a person as KDEF and CK+ have them: women are even, two have no age, one is a child."""
    age = {3: "", 4: "", 5: "7"}.get(number, str(20 + number))
    group = {"": "", "7": "0-17"}.get(age, "18-29" if number < 12 else "30-99")
    name = SECRET if (split, number) == ("test", 0) else f"{split}{'MF'[number % 2 == 0]}{number:02}"
    return {"group": name, "sex": "male" if number % 2 else "female", "age": age, "age_group": group, "room": "one"}


def make_images() -> dict[str, bytes]:
    """Return a manifest and its images; the network misreads one emotion of women and three of men."""
    generator = np.random.default_rng(0)
    files, lines = {}, ["image,emotion,split,group,sex,age,age_group,room"]
    for split, persons in PERSONS.items():
        for number in range(persons):
            columns = person_of(split, number)
            for label, emotion in enumerate(EMOTIONS):
                image = generator.integers(0, 256, (SIZE, SIZE), dtype=np.uint8)
                wrong = label < (1 if columns["sex"] == "female" else 3)
                image[0, 0], image[1, 1] = (0 if wrong else 1), label
                name = f"{columns['group']}{emotion}.png"
                files[name] = encode(image)
                lines.append(",".join([name, emotion, split, *columns.values()]))
    return files | {"labels.csv": "\n".join(lines).encode()}


@pytest.fixture
def project(here, monkeypatch):
    """A folder with a manifest, read into table and arrays, and all else that evaluate, plot and card read."""
    write_files(here / "data/raw", make_images())
    name_columns("sex", "age_group")
    resolve_faces.main()
    create_dataframe.main()
    extract_features.main()
    write_history(here, make_history())
    training = {"best_epoch": 2, "epochs": 2, "parameters": 1_234_567, "multiply_adds": 98_765_432}
    write_json(TRAINING_METRICS, training)
    files = ("keras", "tflite", "tflite_float16", "tflite_int8", "onnx")
    scores = {"bytes": 10**6, "accuracy": 0.5, "agreement": 1.0, "largest_difference": 0.0}
    write_json(here / "metrics/export.json", dict.fromkeys(files, scores))
    stand_in(ImageReader(EMOTIONS), monkeypatch)


def name_columns(*columns: str) -> None:
    changes = {"evaluate_groups": list(columns), "evaluate_bootstrap": 100, "features_image_size": SIZE}
    write_params(Path(), **changes)


def test_groups_reach_the_figures_the_plot_and_the_card(project):
    evaluate.main()
    text = EVALUATION_METRICS.read_text(encoding="utf-8")
    report = json.loads(text)
    sex, age = report["groups"]["sex"], report["groups"]["age_group"]
    assert {name: scores["images"] for name, scores in age["values"].items()} == {
        "0-17": 7,
        "18-29": 63,
        "30-99": 56,
        "(empty)": 14,
    }
    assert "accuracy" not in age["values"]["0-17"]
    female, male = sex["values"]["female"], sex["values"]["male"]
    assert (female["images"], female["groups"], female["accuracy"]) == (70, 10, round(6 / 7, 5))
    assert (female["recall"]["angry"]["recall"], female["recall"]["fear"]["recall"]) == (0, 1)
    assert male["recall"]["disgust"]["recall"] == 0
    gap = sex["largest_gap"]
    assert (gap["higher"], gap["lower"], gap["accuracy_difference"]) == ("female", "male", round(2 / 7, 5))
    summary = json.loads(SUMMARY_METRICS.read_text(encoding="utf-8"))
    assert summary["gap"] == {
        name: column["largest_gap"]["accuracy_difference"] for name, column in report["groups"].items()
    }
    plot.draw_results(1)
    with Image.open(PLOTS / "groups.png") as image:
        assert image.height > 300
    card.main()
    written = MODEL_CARD.read_text(encoding="utf-8")
    assert f"fewer than {FEWEST_IMAGES} images" in written
    assert f"fewer than {FEWEST_OF_EMOTION} images" in written
    row = [figure_text(male, name) for name in ("accuracy", "balanced_accuracy", "calibrated_overconfidence")]
    assert f"| male | 70 (10) | {' | '.join(row)} | " in written
    assert f"| male | {' | '.join(figure_text(one, 'recall') for one in male['recall'].values())} |" in written
    assert "| (empty) | 14 | \N{EN DASH} |" in written
    assert gap_text(gap) in written
    assert "(plots/groups.png)" in written
    assert SECRET not in text + written

    name_columns()
    evaluate.main()
    card.main()
    empty = json.loads(EVALUATION_METRICS.read_text(encoding="utf-8"))
    assert empty == {name: figures for name, figures in report.items() if name != "groups"}
    assert "gap" not in json.loads(SUMMARY_METRICS.read_text(encoding="utf-8"))
    assert "groups.png" not in MODEL_CARD.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "column, words",
    [
        ("gender", ["'gender'", "sex", "age_group", "manifest"]),
        ("room", ["'room'", "only 'one'", "140 scored images"]),
    ],
)
def test_columns_without_groups_are_refused_before_the_model_is_asked(project, column, words):
    name_columns("sex", column)
    with pytest.raises(InputError, match=r"^evaluate\.groups") as error:
        evaluate.main()
    assert not [word for word in words if word not in str(error.value)]
    assert not EVALUATION_METRICS.exists()
