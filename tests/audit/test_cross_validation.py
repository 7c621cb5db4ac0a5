"""Cross-validation: no network reads an image that it, or a relative of it, was trained on; and nothing runs twice."""

from types import SimpleNamespace

import numpy as np
import pytest

from emotion.audit.recipe import EPOCHS, shorten_recipe
from emotion.core.errors import InputError

pytestmark = pytest.mark.tf

LABELS = [row % 3 for row in range(120)]
UNITS = [row // 2 for row in range(120)]


@pytest.fixture
def params():
    from tests.training.makers import make_params

    return make_params()


class Trainer:
    """What stands for training: it notes what it gets, and returns a network that knows nothing but the image."""

    def __init__(self, fail_at: int = 0) -> None:
        self.seen: list[tuple[set[int], set[int]]] = []
        self.fail_at = fail_at

    def __call__(self, data, classes, params, checkpoints):
        if len(self.seen) + 1 == self.fail_at:
            raise KeyboardInterrupt
        self.seen.append((set(data.x_train[:, 0, 0, 0].tolist()), set(data.x_val[:, 0, 0, 0].tolist())))
        assert data.y_train.tolist() == [LABELS[row] for row in data.x_train[:, 0, 0, 0]]
        return SimpleNamespace(model=self, checkpoint=SimpleNamespace(remove=lambda: None))

    def predict(self, x, *, batch_size, verbose):
        values = x[:, 0, 0, 0].astype(float)
        return np.stack([values + 1, np.ones(len(x)), np.ones(len(x))], axis=1)


@pytest.fixture
def run(here, params, monkeypatch):
    """Cross-validate with a trainer; return the probabilities and what was reported."""
    from emotion.audit import cross_validation
    from tests.audit.images import make_images

    def run_there(trainer, labels=LABELS, folds=3):
        monkeypatch.setattr(cross_validation, "train", trainer)
        lines: list[str] = []
        images = make_images(labels, UNITS)
        return cross_validation.cross_validate(images, 3, params, folds, here / "folds", lines.append), lines

    return run_there


def test_units_stay_together_and_each_image_is_held_out_once():
    from emotion.audit.cross_validation import make_folds

    units = np.array(UNITS)
    folds = make_folds(np.array(LABELS), units, 4, seed=1)
    assert sorted(np.concatenate([fold.held_out for fold in folds]).tolist()) == list(range(120))
    for fold in folds:
        parts = [set(units[part].tolist()) for part in fold]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 60
        assert len(parts[1]) == round(0.1 * (60 - len(parts[2])))
        assert all(8 <= count <= 12 for count in np.bincount(np.array(LABELS)[fold.held_out]))
    again = make_folds(np.array(LABELS), units, 4, seed=1)
    assert all(np.array_equal(one, other) for one, other in zip(folds[0], again[0], strict=True))
    assert not np.array_equal(folds[0].held_out, make_folds(np.array(LABELS), units, 4, seed=2)[0].held_out)


def test_a_class_in_too_few_units_is_refused():
    from emotion.audit.cross_validation import make_folds

    with pytest.raises(InputError, match=r"--folds: got 3.*label 1 .*only 2 groups.*at least 3.*fewer folds"):
        make_folds(np.array([0] * 8 + [1] * 8), np.array([*range(8), *([8, 9] * 4)]), 3, seed=1)


def test_probabilities_are_of_networks_that_did_not_train_on_the_image(run):
    trainer = Trainer()
    probabilities, lines = run(trainer)
    values = np.arange(120)
    np.testing.assert_allclose(probabilities[:, 0], (values + 1) / (values + 3))
    assert len(trainer.seen) == len(lines) == 3
    for trained, chosen in trainer.seen:
        held_out = set(range(120)) - trained - chosen
        assert {UNITS[row] for row in held_out}.isdisjoint(UNITS[row] for row in trained | chosen)
    assert "fold 1 of 3: 80 images train a network, which reads 40" in lines[0]


def test_an_interrupted_audit_goes_on_and_a_finished_one_is_read(run, here):
    with pytest.raises(KeyboardInterrupt):
        run(Trainer(fail_at=3))
    rest = Trainer()
    whole, lines = run(rest)
    assert len(rest.seen) == 1
    assert ["earlier run" in line for line in lines] == [True, True, False]
    nothing = Trainer()
    np.testing.assert_array_equal(run(nothing)[0], whole)
    assert nothing.seen == []
    other = Trainer()
    run(other, folds=2)
    assert len(other.seen) == 2
    assert len(list((here / "folds").iterdir())) == 2


def test_the_recipe_is_short_and_builds_on_no_other_model():
    from tests.training.makers import make_params

    foreign = {"init_from": "a.keras", "teacher": "b.keras", "teacher_share": 0.5}
    params = make_params(epochs=40, patience=3, monitor="accuracy", **foreign)
    train = shorten_recipe(params, None).train
    assert (train.epochs, train.patience, train.monitor) == (EPOCHS, 0, "loss")
    assert (train.init_from, train.teachers, train.teacher_share) == (None, [], 0)
    assert train.architecture == params.train.architecture
    assert shorten_recipe(params, 60).train.epochs == 60
    assert shorten_recipe(make_params(epochs=4), None).train.epochs == 4
