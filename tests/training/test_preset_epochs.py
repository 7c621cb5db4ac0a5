"""Presets keep their epochs by size and their warm-up, and also train for one epoch or a few."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from benchmarks.runs import read_preset
from emotion.app.preset.presets import PRESETS
from emotion.core.params import TrainParams
from emotion.training.image_sizes import check_inference_size, epoch_sizes
from emotion.training.optimizers import WarmUp

pytestmark = pytest.mark.tf


@dataclass(frozen=True)
class Training:
    """The number of epochs by size, in the order of training, and the number of epochs with warm-up."""

    sizes: dict[int, int]
    warmup: float


AN_HOUR = Training({32: 44, 40: 34, 48: 42}, 1)
WELL_KNOWN = Training({32: 24, 40: 14, 48: 22}, 2)
SAMPLE = Training({48: 20}, 2)
TRAININGS = {
    "fer2013": AN_HOUR,
    "ferplus": AN_HOUR,
    "ferplus-large": Training({32: 18, 48: 18}, 2),
    "fer2013-long": Training({32: 36, 40: 32, 48: 32}, 1),
    "fer2013-quick": Training({32: 14, 40: 4, 48: 4}, 1),
    "vgg-bn": WELL_KNOWN,
    "se-resnet": WELL_KNOWN,
    "five-webcam": Training({48: 50}, 0),
    "seven-two-blocks": Training({48: 30}, 0),
    "seven-three-blocks": Training({48: 40}, 0),
    "happy-sad-grayscale": Training({48: 10}, 0),
    "happy-sad-rgb": Training({256: 20}, 0),
    "mini-xception": Training({64: 60}, 0),
    "photo": Training({32: 10, 48: 10}, 1),
    "photo-nano": Training({32: 18, 40: 7, 48: 11}, 1.8),
    "sample": SAMPLE,
    "folder": SAMPLE,
}
"""The trainings of version 0.2, whose params were in epochs, and those of later presets."""

NAMES = sorted(path.stem for path in PRESETS.glob("*.yaml"))


def in_epochs(name: str, epochs: int | None = None) -> tuple[TrainParams, list[int]]:
    """Return the section `train` of the preset, with another number of epochs if given, and the size in each epoch."""
    params = read_preset(name)
    train = TrainParams.model_validate(params.train.model_dump() | ({"epochs": epochs} if epochs else {}))
    check_inference_size(train, params.features.image_size)
    return train, epoch_sizes(train, params.features.image_size)


@pytest.mark.parametrize("name", NAMES)
def test_shares_give_the_epochs_of_before(name):
    _, sizes = in_epochs(name)
    before = TRAININGS[name]
    assert sizes == sorted(sizes)
    assert Counter(sizes) == before.sizes


@pytest.mark.parametrize("steps", [38, 225, 449])  # of the sample; of FER2013 in batches of 128 and 64
@pytest.mark.parametrize("name", NAMES)
def test_shares_give_the_warm_up_steps_of_before(name, steps):
    train, _ = in_epochs(name)
    assert WarmUp(train, steps).warmup == round(TRAININGS[name].warmup * steps)


@pytest.mark.parametrize("epochs", [1, 2, 3, 5])
@pytest.mark.parametrize("name", NAMES)
def test_every_preset_trains_for_a_few_epochs(name, epochs):
    train, sizes = in_epochs(name, epochs)
    assert len(sizes) == epochs
    assert sizes == sorted(sizes)
    assert sizes[-1] == read_preset(name).features.image_size
    rates = np.asarray(WarmUp(train, 225)(np.arange(225 * epochs)))
    assert (rates > 0).all()
    assert rates.max() == pytest.approx(train.learning_rate, rel=0.02)
