"""A student imitates its teachers, be they one or several, of original or of augmented images."""

import numpy as np
import pytest

from emotion.networks import registry
from emotion.training.distillation import DistillationLoss, Teachers, teacher_probabilities
from emotion.training.loop import train
from emotion.training.pretrained import Pretrained
from emotion.training.training_data import TrainingData
from tests.training.makers import BY_HEART, CALM, make_constant_network, make_params

pytestmark = pytest.mark.tf


@pytest.mark.slow
def test_a_teacher_is_imitated(data, tmp_path):
    """With all of the loss for imitation, labels count for nothing, and the student ends near its teacher."""
    often = np.tile(np.arange(32), 12)
    values = BY_HEART | {"learning_rate": 0.002}
    heart = TrainingData(data.x_train[often], data.y_train[often], data.x_train, data.y_train)
    teacher = train(heart, 3, make_params(CALM, **values), tmp_path).model
    misled = TrainingData(heart.x_train, (heart.y_train + 1) % 3, data.x_train, data.y_train)
    target = teacher.predict(data.x_train, verbose=0)
    for teacher_inputs in ("augmented", "original"):
        params = make_params(CALM, teacher="x.keras", teacher_share=1.0, teacher_inputs=teacher_inputs, **values)
        model = train(misled, 3, params, tmp_path / teacher_inputs, pretrained=Pretrained((teacher,))).model
        student = model.predict(data.x_train, verbose=0)
        assert (student.argmax(axis=1) == target.argmax(axis=1)).mean() >= 30 / 32
        assert np.abs(student - target).mean() < 0.1


def test_several_teachers_are_averaged():
    """And where the student gives the same as they, the loss is zero."""
    images = np.zeros((2, 4, 4, 1), np.uint8)
    single = np.array([[0.1, 0.2, 0.7]] * 2, np.float32), np.array([[0.5, 0.4, 0.1]] * 2, np.float32)
    teachers = Teachers([make_constant_network(probabilities[0]) for probabilities in single])
    loss = DistillationLoss(0.5)
    mean = single[0] / 2 + single[1] / 2
    for student in (mean, 0.9 * single[0] + 0.1 * single[1]):
        np.testing.assert_array_equal(loss(teachers(images), student, training=True), student)
        divergence = (mean * np.log(mean / student)).sum(axis=1).mean()
        assert (divergence == 0) == (student is mean)
        assert float(loss.losses[0]) == pytest.approx(0.5 * divergence, abs=1e-6)


def test_two_classes_are_imitated_in_one_column(data):
    """The teacher's probabilities of original images have two columns, the student's have one."""
    teacher = registry.build("residual_small", 24, 1, 2)
    target = teacher_probabilities(Teachers([teacher]), data.x_train, flip=False)
    assert target.shape == (len(data.x_train), 2)
    student = np.full((len(target), 1), 0.3, np.float32)
    loss = DistillationLoss(1.0)
    loss(target, student, training=True)
    expected = (target * np.log(target / [0.7, 0.3])).sum(axis=1).mean()
    assert float(loss.losses[0]) == pytest.approx(expected, abs=1e-5)
