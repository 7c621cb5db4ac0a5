"""Probabilities for images from networks that did not train on them, by cross-validation."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from emotion.audit.audited_images import AuditedImages
from emotion.core.errors import InputError
from emotion.core.files import atomic_path, set_aside
from emotion.core.params import Params
from emotion.model_files.keras_setup import set_up
from emotion.model_files.probabilities import predict_probabilities
from emotion.training.checkpoints import DAMAGES, training_key, training_parts
from emotion.training.loop import train
from emotion.training.training_data import TrainingData

VALIDATION = 0.1
"""Share of the training units of a fold on which the best epoch is chosen. The images of the fold choose nothing."""


class Fold(NamedTuple):
    """The images of a fold, as sorted indices: those that train, those that choose the epoch, and those that it reads.

    No unit is in two of the three.
    """

    train: np.ndarray
    val: np.ndarray
    held_out: np.ndarray


def make_folds(labels: np.ndarray, units: np.ndarray, count: int, seed: int) -> list[Fold]:
    """Return `count` folds; each image is held out once. The classes have about the same shares in each.

    Args:
        labels: of the images, (images,).
        units: as `number_units` returns them, (images,); a unit stays in one fold.
        count: at least 2.
        seed: of the order of the units.

    Raises:
        InputError: a class is in fewer units than there are folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    smallest = min((len(np.unique(units[labels == label])), label) for label in np.unique(labels))
    if smallest[0] < count:
        raise InputError(
            f"--folds: got {count}, but the emotion with label {smallest[1]} has images of only {smallest[0]} groups "
            f"or copies, expected at least {count}; name fewer folds, or add images"
        )
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(labels, labels, units)
    return [Fold(*_split_off(rest, units, [seed, number]), held_out) for number, (rest, held_out) in enumerate(folds)]


def _split_off(rest: np.ndarray, units: np.ndarray, seed: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return `rest` in two parts, of which the second has the share VALIDATION of the units."""
    present = np.unique(units[rest])
    chosen = np.random.default_rng(seed).permutation(present)[: max(1, round(VALIDATION * len(present)))]
    inside = np.isin(units[rest], chosen)
    return rest[~inside], rest[inside]


def cross_validate(
    images: AuditedImages,
    classes: int,
    params: Params,
    folds: int,
    folder: Path,
    report: Callable[[str], None] = print,
) -> np.ndarray:
    """Return probabilities for each image from a network that did not train on its unit, float64 (images, classes).

    An audit that was interrupted goes on after its last whole epoch. One that is finished is read from `folder`.

    Args:
        images: the images.
        classes: the number of classes.
        params: the sections train, augmentation and compute, as `shorten_recipe` returns them.
        folds: at least 2.
        folder: has the probabilities of finished folds, and checkpoints.
        report: called with a line for each fold.

    Raises:
        InputError: a class has too few images, or a training failed.
    """
    started = time.time()
    set_up(params.compute.threads, params.train.seed)
    probabilities = np.empty((len(images.x), classes))
    arrays = [images.x, images.labels, *([] if images.votes is None else [images.votes])]
    finished = []
    for number, fold in enumerate(make_folds(images.labels, images.units, folds, params.train.seed), start=1):
        path = folder / f"{training_key(training_parts(params, classes, [*arrays, *fold]))}.npy"
        numbers = f"{len(fold.train) + len(fold.val):,} images train a network, which reads {len(fold.held_out):,}"
        known = _load_fold(path, (len(fold.held_out), classes))
        report(f"fold {number} of {folds}: {numbers}{'' if known is None else ', read from an earlier run'}")
        probabilities[fold.held_out] = _read_fold(images, classes, params, fold, path) if known is None else known
        finished.append(path)
    for path in set(folder.glob("*.np[yz]")) - set(finished):
        if path.stat().st_mtime < started:  # of earlier audits; another one may be running
            path.unlink()
    return probabilities


def _load_fold(path: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """Return the probabilities of a finished fold; None where there are none, or where their file is damaged."""
    if not path.exists():
        return None
    try:
        known: np.ndarray = np.load(path, allow_pickle=False)
        if known.shape == shape:
            return known
    except DAMAGES:
        pass
    print(f"warning: {path} is damaged. It is now {set_aside(path).name}, and its fold is read again", file=sys.stderr)
    return None


def _read_fold(images: AuditedImages, classes: int, params: Params, fold: Fold, path: Path) -> np.ndarray:
    """Train the network of a fold; write and return its probabilities for the images that were held out."""
    data = TrainingData(
        images.x[fold.train],
        images.labels[fold.train],
        images.x[fold.val],
        images.labels[fold.val],
        None if images.votes is None else images.votes[fold.train],
    )
    result = train(data, classes, params, path.parent)
    probabilities = predict_probabilities(result.model, images.x[fold.held_out], flip=params.augmentation.flip)
    with atomic_path(path) as temporary:
        np.save(temporary, probabilities, allow_pickle=False)
    result.checkpoint.remove()
    return probabilities
