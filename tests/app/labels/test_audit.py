"""`emotion labels audit`, from the files of the pipeline to the table and the page."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from emotion.app.labels.audit import read_recipe
from emotion.app.labels.files import PAGE, SUSPECTS
from emotion.core.emotion_names import EMOTIONS
from emotion.core.params import SECTIONS, load_params
from emotion.core.paths import FEATURES, TABLE
from emotion.data.table import read_table
from stages import create_dataframe, extract_features
from tests.app.labels.test_page import read_data
from tests.makers import votes_for, write_ferplus, write_params

pytestmark = pytest.mark.tf

SIZE = 16
PLANTED = [3, 12, 25, 50]
"""Rows whose image is that of the next emotion."""

CLASSES, EPOCHS = EMOTIONS[:3], "20"
STRIPES = np.tile(np.array([[40], [200]], np.uint8), (SIZE // 2, SIZE))
PATTERNS = (np.full((SIZE, SIZE), 40, np.uint8), np.full((SIZE, SIZE), 200, np.uint8), STRIPES)


@pytest.fixture
def project(here, tiny):
    """A project whose emotions are dark, bright and striped, with planted faults, after extract_features."""
    generator = np.random.default_rng(4)
    rows = []
    for row in range(3 * 40):
        image = PATTERNS[(row + (row in PLANTED)) % 3] + generator.integers(0, 40, (SIZE, SIZE), dtype=np.uint8)
        rows.append((CLASSES[row % 3], ("train", "train", "val", "test")[row // 3 % 4], image))
    write_ferplus(here / "data/raw", rows, [votes_for(**{emotion: 10}) for emotion, _, _ in rows])
    recipe = {"architecture": tiny, "optimizer": "adam", "learning_rate": 0.01, "batch_size": 16}
    calm = {"flip": False, "rotation": 0.0, "shift": 0.0, "erase": 0.0}
    sections = {"train": recipe, "augmentation": calm, "features": {"image_size": SIZE}}
    sections["labels"] = {"scheme": list(CLASSES)}
    write_params(here, **{f"{name}_{key}": value for name, keys in sections.items() for key, value in keys.items()})
    create_dataframe.main()
    extract_features.main()
    return here


@pytest.fixture
def audit(project, run_emotion):
    """Run `emotion labels audit` with two folds."""
    return partial(run_emotion, "labels", "audit", "--folds", "2")


class Network:
    """What stands for a trained network: it knows the three patterns."""

    def predict(self, x, *, batch_size, verbose):
        values = x.reshape(len(x), -1).astype(float)
        shown = np.where(values.std(axis=1) > 40, 2, values.mean(axis=1) > 128)
        return np.eye(3)[shown] * 0.7 + 0.1


@pytest.fixture
def quick(monkeypatch):
    """A training that takes no time."""
    from emotion.audit import cross_validation

    done = SimpleNamespace(model=Network(), checkpoint=SimpleNamespace(remove=lambda: None))
    monkeypatch.setattr(cross_validation, "train", lambda *_: done)


def test_planted_faults_are_on_the_page_with_what_models_and_people_say(project, audit, quick):
    planted = set(read_table(TABLE)["hash"][PLANTED])
    status, out, _ = audit("--page", "3")
    assert status == 0
    assert "90 labels of training and validation audited; the networks agree with 95.6%" in out
    assert "4 images with suspect labels (4.4%)" in out
    suspects = pd.read_csv(project / SUSPECTS)
    assert planted == set(suspects["hash"])
    numbers = {name: number for number, name in enumerate(CLASSES)}
    assert ((suspects["given"].map(numbers) + 1) % 3 == suspects["suggested"].map(numbers)).all()
    assert (suspects["votes"] == suspects["given"] + " 10").all()
    content = read_data((project / PAGE).read_text(encoding="utf-8"))
    assert content["emotions"] == list(CLASSES)
    assert [one["hash"] for one in content["suspects"]] == suspects["hash"].head(3).tolist()
    assert content["suspects"][0]["votes"] == {suspects["given"][0]: 10}
    # The second time nothing is trained, and votes that are not on these images are left out.
    votes = project / "data/raw/fer2013new.csv"
    votes.write_text(votes.read_text(encoding="utf-8").rpartition("\nPrivateTest")[0], encoding="utf-8")
    status, again, _ = audit("--page", "2")
    assert status == 0
    assert again.count("earlier run") == 2
    assert "warning: people's votes are left out" in again
    assert [one["votes"] for one in read_data((project / PAGE).read_text(encoding="utf-8"))["suspects"]] == [{}, {}]


def test_networks_that_learned_nothing_are_said_to_be_of_no_use(project, audit, quick, monkeypatch):
    monkeypatch.setattr(Network, "predict", lambda self, x, **_: np.tile([0.4, 0.3, 0.3], (len(x), 1)))
    status, out, _ = audit()
    assert status == 0
    assert "warning: always naming the most common emotion agrees with 33.3%" in out


@pytest.mark.slow
def test_networks_that_really_train_find_planted_faults(project, audit):
    planted = set(read_table(TABLE)["hash"][PLANTED])
    assert audit("--epochs", EPOCHS)[0] == 0
    suspects = pd.read_csv(project / SUSPECTS)
    assert planted <= set(suspects["hash"].head(6))
    assert not suspects["split"].eq("test").any()


def test_an_unknown_preset_is_refused(project, audit):
    (project / "presets").mkdir()
    (project / "presets/fer2013.yaml").write_text("train: {epochs: 2}", encoding="utf-8")
    status, _, err = audit("--preset", "fer2014")
    assert "fer2014" in f"{status} {err}"
    assert "did you mean fer2013?" in f"{status} {err}"


def test_the_recipe_of_a_preset_is_completed_by_the_params(project):
    (project / "presets").mkdir()
    (project / "presets/one.yaml").write_text("train: {optimizer: muon}\nsource: {folder: other}", encoding="utf-8")
    recipe = read_recipe("one", load_params(*SECTIONS))
    assert (recipe.train.optimizer, recipe.train.batch_size, recipe.compute.threads) == ("muon", 16, 2)


def test_arrays_of_another_run_are_refused(project, audit):
    labels = np.load(FEATURES / "y_train.npy")
    np.save(FEATURES / "y_train.npy", labels[::-1])
    status, _, err = audit()
    assert "dvc repro extract_features" in f"{status} {err}"
