"""The target of each image, and how much each image counts."""

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from emotion.core.params import Params, TrainParams
from emotion.training import distribution
from emotion.training.distillation import Teachers, teacher_probabilities
from emotion.training.training_data import TrainingData


@dataclass(frozen=True)
class Targets:
    """The arrays that training and validation compare probabilities with; all float32.

    Attributes:
        train: of each training image, (n, classes), or (n, 1) for two classes.
        val: of each validation image, as `train`.
        sample_weights: of each training image, (n,), with a mean of 1.
        teacher: the teachers' probabilities for each training image as it is, (n, classes); None where there are
            no teachers, or where they get the augmented images in each step.
    """

    train: np.ndarray
    val: np.ndarray
    sample_weights: np.ndarray
    teacher: np.ndarray | None = None


def make_targets(data: TrainingData, classes: int, params: Params, teachers: Teachers | None = None) -> Targets:
    """Return the targets of both splits; with teachers and original images this takes a while.

    Args:
        data: the images, labels and votes.
        classes: how many classes the labels have.
        params: the sections `train` and `augmentation`.
        teachers: the networks to imitate, if any.
    """
    return Targets(
        train_targets(data, classes),
        label_targets(data.y_val, classes),
        sample_weights(data.y_train, classes, params.train),
        _teacher_targets(data, params, teachers),
    )


def train_targets(data: TrainingData, classes: int) -> np.ndarray:
    """Return the target of each training image, float32 (n, classes), or (n, 1) for two classes."""
    return label_targets(data.y_train, classes) if data.votes_train is None else vote_targets(data.votes_train)


def label_targets(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return labels (n,) one-hot, float32 (n, classes); for two classes as they are, (n, 1)."""
    if classes == 2:
        return np.asarray(labels, np.float32)[:, None]
    one_hot: np.ndarray = np.eye(classes, dtype=np.float32)[np.asarray(labels)]
    return one_hot


def vote_targets(votes: np.ndarray) -> np.ndarray:
    """Return the share of each emotion in the votes for an image, float32 (n, classes)."""
    shares: np.ndarray = votes / votes.sum(axis=1, keepdims=True)
    return shares.astype(np.float32)


def sample_weights(labels: np.ndarray, classes: int, params: TrainParams) -> np.ndarray:
    """Return a weight per image, float32 (n,): 1, or such that every class weighs the same; the mean is 1."""
    if params.class_weights == "none":
        return np.ones(len(labels), np.float32)
    counts = np.bincount(labels, minlength=classes)
    weights: np.ndarray = len(labels) / (np.count_nonzero(counts) * counts[np.asarray(labels)])
    return weights.astype(np.float32)


def _teacher_targets(data: TrainingData, params: Params, teachers: Teachers | None) -> np.ndarray | None:
    if teachers is None or params.train.teacher_inputs == "augmented":
        return None
    if distribution.is_first():
        tqdm.write(f"predicting {len(data.x_train):,} images with {', '.join(params.train.teachers)}")
    return teacher_probabilities(teachers, data.x_train, flip=params.augmentation.flip)
