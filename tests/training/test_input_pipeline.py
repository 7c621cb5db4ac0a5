"""Batches come in the order of the rows, whole, from TensorFlow's data sets and from Keras' own alike."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from emotion.training.input_pipeline import ImageTable, epoch_dataset, make_dataset
from emotion.training.targets import make_targets
from tests.training.makers import make_params

pytestmark = pytest.mark.tf

NUMBERS = np.arange(10, dtype=np.int32)
TARGETS = NUMBERS[:, None] * np.ones((1, 3), np.float32)


def batches(*columns, batch_size):
    dataset = make_dataset(*columns, batch_size=batch_size)
    read = (dataset[index] for index in range(len(dataset))) if isinstance(dataset, keras.utils.PyDataset) else dataset
    return [keras.tree.map_structure(np.asarray, batch) for batch in read]


@pytest.fixture(params=["tensorflow", "jax"])
def backend(request, monkeypatch, deterministic):
    monkeypatch.setattr(keras.backend, "backend", lambda: request.param)


def test_one_column_is_no_tuple(backend):
    assert [batch.tolist() for batch in batches(NUMBERS, batch_size=4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_columns_stay_side_by_side(backend):
    shares = NUMBERS / 10
    for (numbers, parts), targets in batches((NUMBERS, shares), TARGETS, batch_size=4):
        assert (parts == numbers / 10).all()
        assert (targets[:, 2] == numbers).all()


def test_no_thread_tunes_the_data_set(deterministic):
    """It may miss the signal to end, and `fit` then waits for it."""
    assert make_dataset(NUMBERS, batch_size=4).options().autotune.enabled is False


def test_the_table_gives_the_images_of_those_numbers(deterministic):
    images = np.random.default_rng(0).integers(0, 256, (10, 3, 4, 2), dtype=np.uint8)
    layer = ImageTable(images)
    assert (np.asarray(layer(np.array([7, 0, 7]))) == images[[7, 0, 7]]).all()
    assert layer.trainable_weights == []
    assert layer(keras.Input((), dtype="int32")).shape == (None, 3, 4, 2)


def test_mixed_images_have_mixed_targets(data):
    """Of each batch the first and the last image are mixed, and so on inwards, and their targets alike."""
    params = make_params({"mixup": 1.0}, batch_size=12)
    whole = make_targets(data, 3, params)
    batches = [keras.tree.map_structure(np.asarray, batch) for batch in epoch_dataset(whole, 0, params)]
    assert [len(targets) for _, targets, _ in batches] == [12, 12, 8]
    for (numbers, shares), targets, _ in batches:
        own, other = whole.train[numbers], whole.train[numbers[::-1]]
        assert shares.min() >= 0.5
        np.testing.assert_allclose(targets, shares[:, None] * own + (1 - shares[:, None]) * other, rtol=1e-6)


def test_targets_and_weights_stay_with_their_images(data):
    params = make_params({"mixup": 0.0}, class_weights="balanced", batch_size=12)
    whole = make_targets(data, 3, params)
    assert len(np.unique(whole.sample_weights)) == 3
    for (numbers, _), targets, weights in epoch_dataset(whole, 0, params):
        np.testing.assert_array_equal(targets, whole.train[numbers])
        np.testing.assert_array_equal(weights, whole.sample_weights[numbers])


def test_mixed_images_have_mixed_teacher_probabilities(data):
    """As their targets are."""
    params = make_params({"mixup": 1.0}, batch_size=12)
    whole = np.random.default_rng(0).random((len(data.x_train), 3), np.float32)
    targets = replace(make_targets(data, 3, params), teacher=whole)
    for (numbers, shares, teacher), _, _ in epoch_dataset(targets, 0, params):
        own, other = whole[numbers], whole[np.asarray(numbers)[::-1]]
        shares = np.asarray(shares)[:, None]
        np.testing.assert_allclose(teacher, shares * own + (1 - shares) * other, rtol=1e-6)
