"""Loss and accuracy of two classes and of more."""

import keras
import numpy as np
import pytest

from emotion.networks.head import units
from emotion.training.objective import compile_network, make_accuracy, make_loss
from emotion.training.targets import label_targets
from tests.training.makers import make_params

pytestmark = pytest.mark.tf


@pytest.mark.parametrize(("label", "smoothed"), [(0, 0.1), (1, 0.9)])
def test_label_smoothing_of_two_classes_goes_both_ways(label, smoothed):
    loss = make_loss(make_params(label_smoothing=0.2).train, 2)
    target = label_targets(np.array([label]), 2)
    losses = [float(loss(target, np.array([[p]], np.float32))) for p in (smoothed - 0.05, smoothed, smoothed + 0.05)]
    assert min(losses) == losses[1]


def test_accuracy_of_mixed_images_counts_the_larger_share():
    """The same as of whole targets, and as Keras' own where those are whole."""
    probabilities = np.array([[0.2], [0.7], [0.6], [0.4]], np.float32)
    for targets in ([[0.0], [1.0], [0.0], [1.0]], [[0.4], [0.6], [0.1], [0.9]]):
        accuracy = make_accuracy(2)
        accuracy.update_state(np.array(targets, np.float32), probabilities)
        assert float(accuracy.result()) == 0.5
    three = make_accuracy(3)
    three.update_state(np.array([[0.6, 0.4, 0.0], [0.0, 0.1, 0.9]], np.float32), np.eye(3, dtype=np.float32)[[0, 1]])
    assert float(three.result()) == 0.5


@pytest.mark.parametrize("classes", [2, 3])
def test_loss_and_accuracy_have_the_names_that_history_has(classes):
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units(classes), "sigmoid")])
    compile_network(network, make_params().train, classes)
    assert set(network.evaluate(np.ones((2, 4)), label_targets(np.array([0, 1]), classes), return_dict=True)) == {
        "loss",
        "accuracy",
    }
