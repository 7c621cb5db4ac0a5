"""Label schemes and networks through the real pipeline, from the table to the plots."""

import io
import re

import numpy as np
import pandas as pd
import pytest

from tests.makers import encode
from tests.pipeline.project import BIN
from tests.pipeline.test_bad_input import failed_repro

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

AFTER_THE_SAMPLE = ["create_dataframe", "extract_features", "train", "evaluate", "export", "explain", "plot", "card"]
MERGED = ["neutral", {"negative": ["angry", "disgust", "fear", "sad"]}, {"positive": ["happy", "surprise"]}]


def predictions(project) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(project.read("metrics/curves/predictions.csv")))


def test_two_emotions_with_a_threshold(project):
    project.set_params({"labels.scheme": "happy_sad", "train.architecture": "conv32_64", "train.optimizer": "adam"})
    assert project.repro() == AFTER_THE_SAMPLE
    before = project.metrics("evaluate")
    assert list(before["by_class"]) == ["happy", "sad"]
    assert before["threshold"]["used"] == 0.5
    project.set_params({"evaluate.threshold": 0.9})
    assert project.repro("plot") == ["evaluate", "export", "explain", "plot"]
    rows = predictions(project)
    assert ((rows["sad"] > 0.9) == (rows["predicted"] == "sad")).all()
    after = project.metrics("evaluate")
    assert after["threshold"]["validation_choice"] == before["threshold"]["validation_choice"]
    assert after["test"]["log_loss"] == before["test"]["log_loss"]
    assert (project.path / "metrics/plots/confusion.png").is_file()


def test_merged_emotions_in_color_at_another_size(project):
    features = {"features.image_size": 32, "features.color": "rgb"}
    project.set_params({"labels.scheme": MERGED, "train.architecture": "mini_xception"} | features)
    before = project.metrics("dataset")["images"]["test"]
    assert project.repro() == AFTER_THE_SAMPLE
    names = ["neutral", "negative", "positive"]
    assert list(project.metrics("evaluate")["by_class"]) == names
    assert list(predictions(project))[-3:] == names
    after = project.metrics("dataset")["images"]["test"]
    assert after["total"] == before["total"]
    assert after["positive"] == before["happy"] + before["surprise"]
    project.set_params({"labels.scheme": [MERGED[1], MERGED[0], MERGED[2]]})
    assert "create_dataframe" in project.repro("evaluate")  # another order is another scheme
    assert list(project.metrics("evaluate")["by_class"]) == ["negative", "neutral", "positive"]


def test_a_published_system_on_color_images_of_any_size(project):
    """happy-sad-rgb as its users have it: a folder an emotion, and no splits."""
    generator = np.random.default_rng(0)
    for emotion in ("Happy", "sadness"):
        folder = project.path / "data/raw" / emotion
        folder.mkdir()
        for number in range(30):
            height, width = generator.integers(60, 400, 2)
            image = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
            (folder / f"{number}.jpg").write_bytes(encode(image, ".jpg"))
    project.run(str(BIN / "emotion"), "preset", "happy-sad-rgb", variables={"PYTHONPATH": str(project.path)})
    project.set_params({"train.epochs": 1})
    assert project.repro("plot") == AFTER_THE_SAMPLE[:-1]
    images = project.metrics("dataset")["images"]
    assert [images[split]["total"] for split in ("train", "val", "test")] == [42, 12, 6]
    assert np.load(project.path / "data/features/x_val.npy", mmap_mode="r").shape == (12, 256, 256, 3)
    assert project.metrics("train")["parameters"] == 3_696_625


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"labels.scheme": ["happy", "bored"]}, r"labels\.scheme: got \[happy, bored\], .*no images of bored"),
        ({"labels.scheme": ["happy", "contempt"]}, r"labels\.scheme: got \[happy, contempt\], .*no images"),
        ({"labels.scheme": "ferplus"}, r"labels\.scheme: got ferplus"),
        ({"labels.targets": "votes"}, r"labels\.targets: got votes .*labels\.scheme 'seven'"),
        ({"train.architecture": "conv32_64"}, r"train\.architecture: got conv32_64\b"),
        (
            {"train.architecture": "conv64_128_256", "features.image_size": 20},
            r"features\.image_size: got 20\b.*train\.architecture conv64_128_256\b.*expected .*\b22\b",
        ),
        ({"evaluate.threshold": 0.6}, r"evaluate\.threshold: got 0\.6, expected 0\.5"),
    ],
)
def test_what_does_not_go_together_is_refused(project, changes, said):
    project.set_params(changes)
    assert re.search(said, failed_repro(project))
