"""A process of the tests of ranks: it trains the cases that RANK_CASES names, and writes what came of each."""

import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

FOLDER, CASES, ODD = "RANK_FOLDER", "RANK_CASES", "RANK_ODD"
"""Variables of the environment: where to write, what to train, and the rank that gets an image of its own."""

SMALL: dict[str, Any] = {"batch_size": 32, "epochs": 2, "warmup": 0.0, "learning_rate": 0.01}
TAUGHT: dict[str, Any] = SMALL | {"teacher": "x.keras", "teacher_share": 0.5}

OPTIONS: dict[str, dict[str, Any]] = {
    "sgd": SMALL | {"augmentation": {"mixup": 0.4}, "inference_size": 20},
    "adam": SMALL | {"optimizer": "adam", "class_weights": "balanced", "learning_rate": 0.001},
    "muon": SMALL | {"optimizer": "muon", "monitor": "loss"},
    "uneven": SMALL | {"images": 75},
    "augmented": TAUGHT | {"teacher_inputs": "augmented"},
    "original": TAUGHT | {"teacher_inputs": "original"},
    "residual": SMALL | {"architecture": "residual"},
    "residual_wide": SMALL | {"architecture": "residual_wide"},
    "two classes": SMALL | {"classes": 2},
    "bfloat16": SMALL | {"precision": "mixed_bfloat16"},
    "long": SMALL | {"epochs": 60, "batch_size": 16},
    "diverging": SMALL
    | {"size": 24, "architecture": "conv64_128_256", "learning_rate": 10.0, "weight_decay": 0.9, "epochs": 30},
}
"""What `make_params` takes for each case, and the number of images, their size and the classes."""


def main() -> None:
    """Train all cases; write weights, history and predictions of each to RANK_FOLDER."""
    from emotion.parallel.ranks import find_rank, set_environment

    rank = find_rank(2) if "EMOTION_RANK" in os.environ else None
    set_environment(threads=1)
    from emotion.model_files import keras_setup
    from emotion.training import distribution

    keras_setup.set_up(threads=1, seed=1)
    if rank is not None:
        distribution.connect(rank)
    register_tiny()
    with distribution.naming_lost_ranks():
        for case in json.loads(os.environ[CASES]):
            write_training(case, distribution.number())
        distribution.wait_for_all()


def register_tiny() -> None:
    """Make the small architecture known that the fixture `tiny` names."""
    from emotion.networks import registry
    from emotion.networks.residual import build_residual

    registry.ARCHITECTURES["tiny"] = partial(build_residual, stem=16, widths=(16,), name="tiny")
    registry.ANY_SIZE |= {"tiny"}


def write_training(case: str, number: int) -> None:
    """Train one case and write its result as CASE-NUMBER.npz, and its history as .json."""
    from emotion.core.errors import InputError
    from emotion.training.loop import train
    from emotion.training.pretrained import Pretrained
    from emotion.training.training_data import TrainingData
    from tests.training.makers import make_constant_network, make_noise, make_params

    values = dict(OPTIONS[case])
    images, size, classes = values.pop("images", 96), values.pop("size", 16), values.pop("classes", 3)
    train_set, validation = make_noise(images, seed=1, size=size), make_noise(41, seed=2, size=size)
    if str(number) == os.environ.get(ODD):
        train_set[0][0] = 0
    data = TrainingData(train_set[0], train_set[1] % classes, validation[0], validation[1] % classes)
    teachers = (make_constant_network([0.6, 0.3, 0.1], size=16),) if "teacher" in values else ()
    folder = Path(os.environ[FOLDER])
    try:
        result = train(data, classes, make_params(**values), folder / "checkpoints", pretrained=Pretrained(teachers))
    except InputError as error:
        (folder / f"{case}-{number}.txt").write_text(str(error), encoding="utf-8")
        return
    np.savez(folder / f"{case}-{number}.npz", *result.model.get_weights())
    (folder / f"{case}-{number}.json").write_text(json.dumps(result.history), encoding="utf-8")


if __name__ == "__main__":
    from emotion.core.errors import run_command
    from emotion.parallel import ranks

    ranks.run_rank(partial(run_command, main))
