"""What surrounds the network in a step: the optimizer, and random numbers that follow from the epoch."""

import numpy as np
import pytest

from emotion.networks import registry
from emotion.training.student import Student
from tests.training.makers import make_params

pytestmark = pytest.mark.tf


@pytest.mark.parametrize(
    ("architecture", "optimizer", "kernels"),
    [
        ("residual_small", "sgd", {"kernel"}),
        ("mini_xception", "sgd", {"kernel", "depthwise_kernel", "pointwise_kernel"}),
        ("mini_xception", "muon", {"kernel", "depthwise_kernel"}),  # "kernel" is that of the first convolution
    ],
)
def test_weight_decay_leaves_out_all_but_kernels(architecture, optimizer, kernels, deterministic):
    network = registry.build(architecture, 24, 1, 3)
    student = Student(network, 3, make_params(architecture=architecture, optimizer=optimizer), steps_per_epoch=2)
    decayed = {w.name for w in network.trainable_weights if student.optimizer._use_weight_decay(w)}
    assert decayed == kernels


def test_all_random_numbers_follow_from_the_seed_and_the_epoch(data):
    """Those of augmentation and of dropout, whatever was drawn before."""
    network = registry.build("residual_small", 24, 1, 3)
    student = Student(network, 3, make_params(), steps_per_epoch=2)

    def outputs(epoch):
        student.seed(epoch)
        return np.asarray(network(student.augmentation(data.x_train, training=True), training=True))

    first, second, again = outputs(0), outputs(1), outputs(0)
    assert (first != second).any()
    assert (first == again).all()
