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


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (1, [24]),
        (2, [16, 24]),
        (3, [16, 20, 24]),
        (4, [16, 20, 20, 24]),
        (5, [16, 20, 20, 20, 24]),
        (10, [16] * 3 + [20] * 4 + [24] * 3),
    ],
)
def test_sizes_by_epoch(epochs, expected):
    params = make_params(epochs=epochs, progressive_sizes=[[16, 0.28], [20, 0.45]]).train
    assert epoch_sizes(params, 24) == expected


def test_boundaries_are_rounded_once_not_added_up():
    params = make_params(epochs=10, progressive_sizes=[[12, 0.16], [16, 0.16], [20, 0.16]]).train
    assert epoch_sizes(params, 24) == [12] * 2 + [16] + [20] * 2 + [24] * 5


def test_the_last_epoch_has_the_full_size():
    assert epoch_sizes(make_params(epochs=2).train, 24) == [24, 24]
    assert epoch_sizes(make_params(epochs=4, progressive_sizes=[[16, 0.99]]).train, 24) == [16, 16, 16, 24]


@pytest.mark.parametrize("size", [24, 48])
def test_sizes_that_are_not_smaller_are_refused(size):
    message = rf"train\.progressive_sizes: got a size of {size}, expected .*features\.image_size \(24\)"
    with pytest.raises(InputError, match=message):
        epoch_sizes(make_params(progressive_sizes=[[size, 0.4]]).train, 24)


def test_sizes_that_vanish_in_the_layers_are_refused(data, tmp_path):
    message = r"train\.progressive_sizes: got a size of 6, expected .*\b8\b.*\bresidual_small\b"
    with pytest.raises(InputError, match=message):
        train(data, 3, make_params(architecture="residual_small", progressive_sizes=[[6, 0.4]]), tmp_path)
