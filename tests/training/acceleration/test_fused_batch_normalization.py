"""Fused batch normalization computes what the layer of Keras computes."""

import keras
import numpy as np
import pytest

from emotion.training.acceleration.training_network import to_training_network

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def pair(deterministic):
    """A small stock network with moved weights, and the same in training."""
    layers = [
        keras.layers.Conv2D(4, 3),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.GlobalAveragePooling2D(),
    ]
    network = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    generator = np.random.default_rng(0)
    network.set_weights([generator.uniform(0.5, 1.5, w.shape) for w in network.get_weights()])
    return network, to_training_network(network)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).normal(2, 3, (16, 8, 8, 1)).astype(np.float32)


def test_predictions_agree(pair, images):
    stock, fused = (model.predict(images, verbose=0) for model in pair)
    assert fused == pytest.approx(stock, abs=1e-5)


def test_training_outputs_gradients_and_averages_agree(pair, images):
    import tensorflow as tf

    results = []
    for model in pair:
        with tf.GradientTape() as tape:
            outputs = model(images, training=True)
            loss = tf.reduce_sum(outputs**2)
        results.append([outputs, *tape.gradient(loss, model.trainable_variables), *model.non_trainable_variables])
    for stock, fused in zip(*results, strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(fused), keras.ops.convert_to_numpy(stock), rtol=2e-4, atol=2e-4
        )
