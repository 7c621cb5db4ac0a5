"""The fast form of a network computes what the stock form computes."""

import keras
import numpy as np
import pytest

from emotion.fused import fuse


@pytest.fixture(scope="module")
def pair(deterministic):
    """A small stock network with moved weights, and its fast form."""
    layers = [
        keras.layers.Conv2D(4, 3),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.GlobalAveragePooling2D(),
    ]
    network = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    generator = np.random.default_rng(0)
    network.set_weights([generator.uniform(0.5, 1.5, w.shape) for w in network.get_weights()])
    return network, fuse(network)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(1).normal(2, 3, (16, 8, 8, 1)).astype(np.float32)


def test_predictions_agree(pair, pictures):
    stock, fast = (model.predict(pictures, verbose=0) for model in pair)
    assert fast == pytest.approx(stock, abs=1e-5)


def test_training_outputs_gradients_and_averages_agree(pair, pictures):
    import tensorflow as tf

    results = []
    for model in pair:
        with tf.GradientTape() as tape:
            outputs = model(pictures, training=True)
            loss = tf.reduce_sum(outputs**2)
        results.append([outputs, *tape.gradient(loss, model.trainable_variables), *model.non_trainable_variables])
    for stock, fast in zip(*results, strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(fast), keras.ops.convert_to_numpy(stock), rtol=2e-4, atol=2e-4
        )
