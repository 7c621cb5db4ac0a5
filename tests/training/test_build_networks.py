"""The network that is trained, the one that is evaluated and the one that is saved are the same network."""

import numpy as np
import pytest

from emotion.networks.registry import ANY_SIZE
from emotion.training.build_networks import build_networks
from emotion.training.loop import train
from emotion.training.pretrained import NO_PRETRAINED
from tests.architectures import quickest_first
from tests.training.makers import InterruptionError, make_params, same, stop_after

pytestmark = [pytest.mark.usefixtures("tiny"), pytest.mark.tf]


@pytest.mark.slow
def test_a_network_that_enlarges_learns_at_the_size_of_the_images(data, tmp_path):
    """The same steps as without enlargement: only what validation sees, and with it what is saved, is another."""
    params = make_params(inference_size=32, progressive_sizes=[[16, 0.33]], monitor="loss", precision="float32")
    plain = train(data, 3, make_params(progressive_sizes=[[16, 0.33]], monitor="loss", precision="float32"), tmp_path)
    whole = train(data, 3, params, tmp_path / "whole")
    with pytest.raises(InterruptionError):
        train(data, 3, params, tmp_path / "parts", stop_after(2))
    assert same(whole, train(data, 3, params, tmp_path / "parts"))
    assert [row["loss"] for row in whole.history] == [row["loss"] for row in plain.history]
    assert [row["val_loss"] for row in whole.history] != [row["val_loss"] for row in plain.history]
    probabilities = whole.model.predict(data.x_val, verbose=0)
    assert (probabilities.argmax(axis=1) == data.y_val).mean() == pytest.approx(
        whole.history[whole.best_epoch - 1]["val_accuracy"]
    )


@pytest.mark.parametrize("architecture", quickest_first(sorted(ANY_SIZE)))
def test_the_trained_network_and_the_saved_one_agree(architecture, data, tmp_path):
    """What validation scored, of faster layers, is what the stock network gives after saving."""
    params = make_params(architecture=architecture, epochs=2, label_smoothing=0.0, learning_rate=0.01)
    result = train(data, 3, params, tmp_path)
    training = build_networks(data, 3, params.train, NO_PRETRAINED, any_size=False).training
    training.set_weights(result.model.get_weights())
    logits = [np.log(network.predict(data.x_val, verbose=0)) for network in (training, result.model)]
    np.testing.assert_allclose(logits[0], logits[1], atol=1e-4)


@pytest.mark.parametrize("inference_size", [None, 32])
def test_the_three_networks_have_the_same_weights(inference_size, data):
    networks = build_networks(data, 3, make_params(inference_size=inference_size).train, NO_PRETRAINED, any_size=False)
    stock = networks.stock.get_weights()
    for network in (networks.training, networks.evaluation):
        assert all((own == other).all() for own, other in zip(network.get_weights(), stock, strict=True))
    assert (networks.evaluation is networks.training) == (inference_size is None)
    assert networks.stock.input_shape == networks.evaluation.input_shape == (None, 24, 24, 1)
