"""Images may be smaller in the first epochs, and larger once trained; sizes that cannot be are refused."""

import pytest

from emotion.core.errors import InputError
from emotion.training.image_sizes import epoch_sizes
from emotion.training.loop import train
from tests.training.makers import make_params

pytestmark = [pytest.mark.usefixtures("tiny"), pytest.mark.tf]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"inference_size": 24}, r"got 24, expected null or more than features\.image_size \(24\)"),
        ({"inference_size": 32, "architecture": "conv64_128_256"}, r"conv64_128_256 .*expected null .*\bresidual\b"),
    ],
)
def test_an_enlargement_that_cannot_be_is_refused(values, message, data, tmp_path):
    with pytest.raises(InputError, match=rf"train\.inference_size: {message}"):
        train(data, 3, make_params(**values), tmp_path)


def test_an_unknown_network_is_named_as_such_even_if_it_is_to_enlarge(data, tmp_path):
    with pytest.raises(InputError, match=r"train\.architecture: got 'resnet', expected .*\bresidual\b"):
        train(data, 3, make_params(architecture="resnet", inference_size=32), tmp_path)


def test_sizes_by_epoch():
    assert epoch_sizes(make_params(epochs=4, progressive_sizes=[[16, 1], [20, 2]]).train, 24) == [16, 20, 20, 24]
    assert epoch_sizes(make_params(epochs=2).train, 24) == [24, 24]


@pytest.mark.parametrize("progressive_sizes", [[[16, 4]], [[24, 1]], [[48, 1]]])
def test_sizes_that_do_not_fit_are_refused(progressive_sizes):
    message = r"train\.progressive_sizes: got \[\[\d+, \d\]\], .*features\.image_size \(24\).*train\.epochs \(3\)"
    with pytest.raises(InputError, match=message):
        epoch_sizes(make_params(progressive_sizes=progressive_sizes).train, 24)


def test_sizes_that_vanish_in_the_layers_are_refused(data, tmp_path):
    message = r"train\.progressive_sizes: got \[\[6, 1\]\], expected .*\b8\b.*\bresidual_small\b"
    with pytest.raises(InputError, match=message):
        train(data, 3, make_params(architecture="residual_small", progressive_sizes=[[6, 1]]), tmp_path)
