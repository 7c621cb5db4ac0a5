"""The epochs of a training: it learns from the training split, and keeps its best epoch on the validation split."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
from tqdm import tqdm

from emotion.core.errors import InputError
from emotion.core.params import Params
from emotion.model_files.probabilities import ProbabilityModel
from emotion.training import distribution
from emotion.training.build_networks import TrainingNetworks, build_networks
from emotion.training.checkpoints import (
    Checkpoint,
    Row,
    TrainingState,
    send_state,
    training_key,
    training_parts,
)
from emotion.training.image_sizes import check_inference_size, check_smallest_size, epoch_sizes, resize_images
from emotion.training.input_pipeline import count_images, epoch_dataset, make_dataset
from emotion.training.logit_adjustment import adjust_logits
from emotion.training.objective import score
from emotion.training.pretrained import NO_PRETRAINED, Pretrained
from emotion.training.student import Student
from emotion.training.targets import Targets, make_targets, train_targets
from emotion.training.training_data import TrainingData

VALIDATION_BATCH = 256


@dataclass(frozen=True)
class TrainingResult:
    """The result of a training.

    Attributes:
        model: the network with the weights of its best epoch.
        history: one row per epoch; Row says what it holds.
        best_epoch: its number; the first epoch is 1.
        seconds: how long the epochs took, with what came before each, and with those before an interruption.
        checkpoint: to be removed once the model is safe on disk.
    """

    model: keras.Model
    history: list[Row]
    best_epoch: int
    seconds: float
    checkpoint: Checkpoint


class DivergedError(InputError):
    """The loss stopped being a number; `network` has the weights of the best epoch before, or is None in the first."""

    def __init__(self, message: str, network: keras.Model | None) -> None:
        super().__init__(message)
        self.network = network


def train(
    data: TrainingData,
    classes: int,
    params: Params,
    checkpoints: Path,
    after_epoch: Callable[[Row], None] = lambda row: None,
    pretrained: Pretrained = NO_PRETRAINED,
) -> TrainingResult:
    """Train the network that `params` name; continue from a checkpoint of the same training, if there is one.

    Every random number comes from the seed and the number of the epoch, so a training that was interrupted
    ends with the same bits as one that was not.

    Several processes train together after `distribution.connect`. All call this function and get the same result; only
    the first one reads and writes checkpoints.

    Args:
        data: the images and labels; labels are below `classes`.
        classes: how many classes the labels have.
        params: the sections `train`, `augmentation` and `compute`.
        checkpoints: a folder, made if need be, for the state after each epoch.
        after_epoch: called with the history's row of each epoch, once its checkpoint is written. A training that
            continues calls it at its start with the rows that the checkpoint has.
        pretrained: the networks to imitate and to start from, if any.

    Raises:
        InputError: params do not fit each other, the images or the machine.
        DivergedError: the loss stopped being a number.
    """
    sizes = epoch_sizes(params.train, data.size)
    check_inference_size(params.train, data.size)
    weights = [values for network in pretrained.networks for values in network.get_weights()]
    parts = training_parts(params, classes, data.arrays + weights)
    distribution.check_same(parts)
    keras.utils.set_random_seed(params.train.seed)  # for the first weights
    networks = build_networks(data, classes, params.train, pretrained, any_size=len(set(sizes)) > 1)
    check_smallest_size(sizes, data, classes, params.train)
    steps = math.ceil(count_images(len(data.x_train)) / params.train.batch_size)
    student = Student(networks.training, classes, params, steps, pretrained.teachers)
    checkpoint = Checkpoint(checkpoints, training_key(parts))
    state = send_state(checkpoint.load() if distribution.is_first() else None)
    if state is None:
        state = TrainingState()
    else:
        student.restore(state.variables)
    epochs = _Epochs(data, params, sizes, networks, student, state)
    if distribution.processes() > 1:
        _say(
            f"{distribution.processes()} processes train together; JAX compiles their step first, for up to two minutes"
        )
    hidden = None if distribution.is_first() else True  # None: unless on a terminal
    with tqdm(total=len(sizes) * steps, initial=len(state.history) * steps, disable=hidden) as bar:
        epochs.fit(bar, checkpoint, after_epoch)
    return TrainingResult(epochs.best_network(), state.history, state.best + 1, state.seconds, checkpoint)


class _Epochs:
    """The epochs of one training."""

    def __init__(
        self,
        data: TrainingData,
        params: Params,
        sizes: list[int],
        networks: TrainingNetworks,
        student: Student,
        state: TrainingState,
    ) -> None:
        """Take what has been made of the params; `sizes` are those of the images, `state` is where training stands."""
        self.data, self.params, self.sizes = data, params, sizes
        self.networks, self.student, self.state = networks, student, state
        self._size, self._model = 0, None

    @cached_property
    def targets(self) -> Targets:
        """Made in the first epoch to train, since teachers may take a while."""
        return make_targets(self.data, self.student.classes, self.params, self.student.teachers)

    @cached_property
    def _shared_network(self) -> ProbabilityModel:
        """Made once, since each is compiled anew."""
        return distribution.share_predictions(self.networks.evaluation)

    def fit(self, bar: tqdm, checkpoint: Checkpoint, after_epoch: Callable[[Row], None]) -> None:
        """Train the epochs that are still to come, until patience ends."""
        state = self.state
        if state.history:
            _say(f"going on after epoch {len(state.history)} of an interrupted training")
        for row in state.history:
            after_epoch(row)
        while not self._is_over():
            began = time.monotonic()
            self._fit_epoch(len(state.history), bar)
            state.seconds += time.monotonic() - began
            state.variables = self.student.variable_values()
            if distribution.is_first():
                checkpoint.save(state)
            after_epoch(state.history[-1])

    def best_network(self) -> keras.Model:
        """Return the network to save, with the weights of the best epoch so far and adjusted logits."""
        network = self.networks.stock
        network.set_weights(self.state.best_weights)
        adjust_logits(network, train_targets(self.data, self.student.classes), self.params.train.logit_adjustment)
        return network

    def _is_over(self) -> bool:
        epochs, patience = len(self.state.history), self.params.train.patience
        return epochs == len(self.sizes) or (patience > 0 and epochs - 1 - self.state.best >= patience)

    def _fit_epoch(self, epoch: int, bar: tqdm) -> None:
        size = self.sizes[epoch]
        model = self._model_for(size)
        self.student.seed(epoch)
        batches = epoch_dataset(self.targets, epoch, self.params)
        progress = _Progress(bar, self._raise_diverged)
        logs = model.fit(batches, shuffle=False, verbose=0, callbacks=[progress]).history
        row = {"epoch": epoch + 1, "size": size, "loss": float(logs["loss"][0]), "accuracy": float(logs["accuracy"][0])}
        row |= self._evaluate() | {"learning_rate": self.student.learning_rate}
        if not math.isfinite(row["val_loss"]):
            self._raise_diverged("validation")
        self._add_to_history(row)

    def _model_for(self, size: int) -> keras.Model:
        """Return what trains on images of `size` pixels."""
        if size != self._size:
            x_train = resize_images(self.data.x_train, size, self.data.color)
            teacher_targets = self.targets.teacher is not None
            self._size, self._model = size, self.student.build_model(x_train, teacher_targets=teacher_targets)
        return self._model

    def _evaluate(self) -> dict[str, float]:
        """Return loss and accuracy on the validation split, without augmentation."""
        self.networks.evaluation.set_weights(self.networks.training.get_weights())
        loss, accuracy = self._score_alone() if distribution.processes() == 1 else self._score_together()
        return {"val_loss": float(loss), "val_accuracy": float(accuracy)}

    def _score_alone(self) -> tuple[float, float]:
        batches = make_dataset(self.data.x_val, self.targets.val, batch_size=VALIDATION_BATCH)
        loss, accuracy = self.networks.evaluation.evaluate(batches, verbose=0)
        return loss, accuracy

    def _score_together(self) -> tuple[float, float]:
        """Score what processes predict in parts: `evaluate` would want as many images for each of them."""
        probabilities = self._shared_network.predict(self.data.x_val, batch_size=VALIDATION_BATCH, verbose=0)
        return score(self.targets.val, probabilities, self.params.train)

    def _add_to_history(self, row: Row) -> None:
        state = self.state
        state.history.append(row)
        if state.best < 0 or self._score(row) > self._score(state.history[state.best]):
            state.best, state.best_weights = len(state.history) - 1, self.networks.training.get_weights()
        _say(
            f"epoch {row['epoch']:3d}  size {row['size']:3d}  loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}  "
            f"validation loss {row['val_loss']:.4f}  accuracy {row['val_accuracy']:.4f}"
        )

    def _score(self, row: Row) -> float:
        """Return what the best epoch has most of."""
        scores = {"accuracy": row["val_accuracy"], "loss": -row["val_loss"], "last": row["epoch"]}
        return scores[self.params.train.monitor]

    def _raise_diverged(self, where: str) -> None:
        train = self.params.train
        raise DivergedError(
            f"the loss became NaN or infinite in epoch {len(self.state.history) + 1}, {where}; lower "
            f"train.learning_rate ({train.learning_rate}) or raise train.warmup ({train.warmup})",
            self.best_network() if self.state.history else None,
        )


def _say(text: str) -> None:
    """Print `text` above the progress bar; of several processes only the first one does."""
    if distribution.is_first():
        tqdm.write(text)


class _Progress(keras.callbacks.Callback):
    """Moves the progress bar, and calls `raise_diverged` with the step at which the loss stopped being a number."""

    def __init__(self, bar: tqdm, raise_diverged: Callable[[str], None]) -> None:
        super().__init__()
        self.bar, self.raise_diverged = bar, raise_diverged

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        self.bar.update()
        if not math.isfinite(float(logs["loss"])):
            self.raise_diverged(f"step {batch + 1}")
