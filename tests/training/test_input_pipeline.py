"""Batches come in the order of the rows, whole, from TensorFlow's data sets and from Keras' own alike."""

import keras
import numpy as np
import pytest

from emotion.training.input_pipeline import ImageTable, make_dataset

NUMBERS = np.arange(10, dtype=np.int32)
TARGETS = NUMBERS[:, None] * np.ones((1, 3), np.float32)


def batches(*columns, batch_size):
    fed = make_dataset(*columns, batch_size=batch_size)
    read = (fed[index] for index in range(len(fed))) if isinstance(fed, keras.utils.PyDataset) else fed
    return [keras.tree.map_structure(np.asarray, batch) for batch in read]


@pytest.fixture(params=["tensorflow", "jax"])
def backend(request, monkeypatch, deterministic):
    monkeypatch.setattr(keras.backend, "backend", lambda: request.param)


def test_one_column_is_fed_as_it_is(backend):
    assert [batch.tolist() for batch in batches(NUMBERS, batch_size=4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_columns_stay_side_by_side(backend):
    shares = NUMBERS / 10
    for (numbers, parts), targets in batches((NUMBERS, shares), TARGETS, batch_size=4):
        assert (parts == numbers / 10).all()
        assert (targets[:, 2] == numbers).all()


def test_no_thread_tunes_the_data_set(deterministic):
    """It may miss the signal to end, and `fit` then waits for it."""
    assert make_dataset(NUMBERS, batch_size=4).options().autotune.enabled is False


def test_lookup_gives_the_images_of_those_numbers(deterministic):
    images = np.random.default_rng(0).integers(0, 256, (10, 3, 4, 2), dtype=np.uint8)
    layer = ImageTable(images)
    assert (np.asarray(layer(np.array([7, 0, 7]))) == images[[7, 0, 7]]).all()
    assert layer.trainable_weights == []
    assert layer(keras.Input((), dtype="int32")).shape == (None, 3, 4, 2)
