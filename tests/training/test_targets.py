"""Targets come from labels, votes and teachers; weights make every class count the same."""

import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.networks import registry
from emotion.training.distillation import Teachers
from emotion.training.loop import train
from emotion.training.pretrained import Pretrained
from emotion.training.targets import make_targets, sample_weights, vote_targets
from emotion.training.training_data import TrainingData
from tests.training.makers import BY_HEART, CALM, make_params

pytestmark = [pytest.mark.usefixtures("tiny"), pytest.mark.tf]


def test_balanced_weights_make_every_class_weigh_the_same():
    params = make_params(class_weights="balanced").train
    weights = sample_weights(np.array([0, 0, 0, 1, 2, 2]), 4, params)
    assert weights == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2, 1, 1])


def test_targets_of_votes_are_the_shares_of_each_image():
    votes = np.array([[4, 0, 1], [2, 2, 0], [0, 0, 3]], np.uint8)
    expected = np.array([[0.8, 0, 0.2], [0.5, 0.5, 0], [0, 0, 1]])
    np.testing.assert_allclose(vote_targets(votes), expected, rtol=1e-6)


def test_votes_are_what_training_aims_at(data, tmp_path):
    """Split votes keep the network from being sure: its probabilities end near their shares, and not near 1."""
    often = np.tile(np.arange(32), 12)
    votes = np.full((32, 3), 1, np.uint8)
    votes[np.arange(32), data.y_train] = 8
    voted = TrainingData(data.x_train[often], data.y_train[often], data.x_train, data.y_train, votes[often])
    params = make_params(CALM, **BY_HEART | {"learning_rate": 0.002, "monitor": "loss"})
    result = train(voted, 3, params, tmp_path)
    chosen = result.model.predict(voted.x_val, verbose=0)[np.arange(32), data.y_train]
    assert np.median(chosen) == pytest.approx(0.8, abs=0.12)


def test_a_teacher_predicts_each_image_as_it_is_once(data, capsys):
    """Where training mirrors them, their mirror images as well; as outside training."""
    teacher = registry.build("residual_small", 24, 1, 3)
    own, mirrored = (teacher.predict(images, verbose=0) for images in (data.x_train, data.x_train[:, :, ::-1]))
    assert np.abs(own - mirrored).max() > 1e-3
    for flip, expected in ((False, own), (True, (own + mirrored) / 2)):
        params = make_params({"flip": flip}, teacher="x.keras", teacher_share=0.5, teacher_inputs="original")
        targets = make_targets(data, 3, params, Teachers([teacher]))
        assert targets.teacher is not None
        np.testing.assert_allclose(targets.teacher, expected, atol=1e-5)
        assert capsys.readouterr().out == "predicting 32 images with x.keras\n"
    augmented = make_params(teacher="x.keras", teacher_share=0.5)
    assert make_targets(data, 3, augmented, Teachers([teacher])).teacher is None


def test_a_teacher_predicts_nothing_before_params_are_known_to_fit(data, tmp_path, capsys):
    params = make_params(teacher="x.keras", teacher_share=0.5, teacher_inputs="original", progressive_sizes=[[1, 0.33]])
    with pytest.raises(InputError, match=r"train\.progressive_sizes"):
        train(data, 3, params, tmp_path, pretrained=Pretrained((registry.build("residual_small", 24, 1, 3),)))
    assert "predicting" not in capsys.readouterr().out
