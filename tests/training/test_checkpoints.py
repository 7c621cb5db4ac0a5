"""A training continues from its own checkpoint, and from no other."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.networks import registry
from emotion.training.loop import train
from emotion.training.pretrained import Pretrained
from emotion.training.training_data import TrainingData
from tests.training.makers import InterruptionError, make_params, stop_after

pytestmark = [pytest.mark.usefixtures("tiny"), pytest.mark.tf]


def save_no_checkpoint(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, other=np.zeros(3))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"garbage" * 100),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-200]),
    "a wrong byte": lambda path: path.write_bytes(path.read_bytes()[:3000] + b"?" + path.read_bytes()[3001:]),
    "another archive": save_no_checkpoint,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_set_aside_and_the_training_starts_anew(damage, data, tmp_path, capsys):
    with pytest.raises(InterruptionError):
        train(data, 3, make_params(), tmp_path, stop_after(1))
    (path,) = tmp_path.glob("*.npz")
    DAMAGES[damage](path)
    damaged = path.read_bytes()
    result = train(data, 3, make_params(), tmp_path)
    assert [row["epoch"] for row in result.history] == list(range(1, len(result.history) + 1))
    assert path.with_name(f"{path.name}.damaged-1").read_bytes() == damaged
    message = capsys.readouterr().err
    assert message.startswith(f"warning: the checkpoint {path} is damaged (")
    assert "starts anew" in message


@pytest.mark.parametrize("change", [{"learning_rate": 0.01}, {"seed": 9}, {"augmentation": {"erase": 0.9}}])
def test_a_checkpoint_of_other_params_is_left_alone(change, data, tmp_path):
    with pytest.raises(InterruptionError):
        train(data, 3, make_params(), tmp_path, stop_after(1))
    train(data, 3, make_params(**change), tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 2, "each training has a checkpoint of its own"


def test_a_checkpoint_of_other_images_is_left_alone(data, tmp_path):
    with pytest.raises(InterruptionError):
        train(data, 3, make_params(), tmp_path, stop_after(1))
    changed = data.x_train.copy()
    changed[0, 0, 0, 0] ^= 1
    train(TrainingData(changed, data.y_train, data.x_val, data.y_val), 3, make_params(), tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 2, "each training has a checkpoint of its own"


def test_a_checkpoint_of_other_votes_is_left_alone(data, tmp_path):
    votes = np.full((32, 3), 1, np.uint8)
    arrays = (data.x_train, data.y_train, data.x_val, data.y_val)
    with pytest.raises(InterruptionError):
        train(TrainingData(*arrays, votes), 3, make_params(), tmp_path, stop_after(1))
    train(TrainingData(*arrays, votes * 2), 3, make_params(), tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 2, "each training has a checkpoint of its own"


def test_a_checkpoint_of_another_network_is_refused(data, tmp_path):
    """Its name is a hash of everything, so it only comes to this where someone renames files."""
    with pytest.raises(InterruptionError):
        train(data, 3, make_params(), tmp_path, stop_after(1))
    with pytest.raises(InterruptionError):
        train(data, 3, make_params(architecture="mini_xception"), tmp_path / "other", stop_after(1))
    (mine,), (other,) = tmp_path.glob("*.npz"), (tmp_path / "other").glob("*.npz")
    other.replace(mine)
    with pytest.raises(InputError, match=r"checkpoint .*\btiny\b.*delete it in .*checkpoints"):
        train(data, 3, make_params(), tmp_path)


def test_a_checkpoint_of_another_teacher_is_left_alone(data, tmp_path):
    first, second = (registry.build("residual_small", 24, 1, 3) for _ in range(2))
    params = make_params(teacher="x.keras", teacher_share=0.5)
    with pytest.raises(InterruptionError):
        train(data, 3, params, tmp_path, stop_after(1), Pretrained((first,)))
    train(data, 3, params, tmp_path, pretrained=Pretrained((second,)))
    assert len(list(tmp_path.glob("*.npz"))) == 2, "each training has a checkpoint of its own"


def test_a_checkpoint_of_another_start_is_left_alone(data, tmp_path):
    first, second = (registry.build("tiny", 24, 1, 3) for _ in range(2))
    params = make_params(init_from="x.keras")
    with pytest.raises(InterruptionError):
        train(data, 3, params, tmp_path, stop_after(1), Pretrained(start=first))
    train(data, 3, params, tmp_path, pretrained=Pretrained(start=second))
    assert len(list(tmp_path.glob("*.npz"))) == 2, "each training has a checkpoint of its own"
