"""A training starts from the weights of another network of the same architecture."""

import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.networks import registry
from emotion.training.loop import train
from emotion.training.pretrained import Pretrained, copy_weights
from tests.training.makers import make_params

pytestmark = [pytest.mark.usefixtures("tiny"), pytest.mark.tf]


def test_a_training_starts_from_the_weights_of_another(data, tmp_path):
    """With a rate of nearly nothing it stays there; a last layer of other emotions starts anew."""
    first = train(data, 3, make_params(), tmp_path / "first").model
    still = make_params(init_from="x.keras", epochs=1, warmup=0.0, learning_rate=1e-9, weight_decay=0.0)
    for keep_head in (True, False):
        pretrained = Pretrained(start=first, keep_head=keep_head)
        second = train(data, 3, still, tmp_path / f"second_{keep_head}", pretrained=pretrained).model
        *body, head = [
            np.allclose(own.numpy(), other.numpy(), atol=1e-5)
            for own, other in zip(second.trainable_weights[:-1], first.trainable_weights[:-1], strict=True)
        ]
        assert all(body)
        assert head == keep_head


@pytest.mark.parametrize("architecture", sorted(registry.ARCHITECTURES.keys() - registry.BINARY))
def test_every_architecture_can_start_from_another_of_other_emotions(architecture):
    """All but its last layer, whose units are the emotions, is copied."""
    start, network = (registry.build(architecture, 48, 1, classes) for classes in (3, 7))
    copy_weights(Pretrained(start=start, keep_head=False), network, make_params(architecture=architecture).train)
    copied = [np.array_equal(*values) for values in zip(network.get_weights(), start.get_weights(), strict=True)]
    assert copied == [True] * copied.count(True) + [False] * copied.count(False)
    assert 1 <= copied.count(False) <= 2


def test_a_start_of_another_architecture_is_refused(data, tmp_path):
    start = registry.build("residual_small", 24, 1, 3)
    params = make_params(architecture="residual", init_from="x.keras")
    with pytest.raises(InputError, match=r"train\.init_from: .*x\.keras .*\bresidual\b.*features\.image_size"):
        train(data, 3, params, tmp_path, pretrained=Pretrained(start=start))
