"""Training a network: the training split teaches, the validation split chooses the epoch, nothing else is seen."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from emotion.core.errors import InputError
from emotion.core.metadata import CHANNELS
from emotion.core.params import Params, TrainParams
from emotion.core.paths import CHECKPOINTS
from emotion.data.images import to_input
from emotion.networks import registry
from emotion.networks.enlarging import enlarge_inside
from emotion.training.acceleration.training_network import to_training_network
from emotion.training.augmentation import Augmentation, Mix, mixing_shares
from emotion.training.checkpoints import Checkpoint, TrainingState, training_key
from emotion.training.distillation import Imitation, Teachers, ask_once
from emotion.training.input_pipeline import ImageTable, make_dataset
from emotion.training.optimizers import make_optimizer
from emotion.training.precision import dtype_policy, resolve_precision
from emotion.training.pretrained import NO_PRETRAINED, Pretrained, copy_weights

VALIDATION_BATCH = 256


@dataclass(frozen=True)
class TrainingData:
    """Images, uint8 (n, size, size, channels), and their labels, int (n,), of two splits.

    `votes_train`, int (n, classes), says how many people saw which emotion in each training image. Where it is
    there, training aims at the shares of the votes in place of the labels (Barsoum et al. 2016).
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    votes_train: np.ndarray | None = None

    @property
    def size(self) -> int:
        return self.x_train.shape[1]

    @property
    def channels(self) -> int:
        return self.x_train.shape[3]

    @property
    def color(self) -> str:
        return next(color for color, channels in CHANNELS.items() if channels == self.channels)


@dataclass(frozen=True)
class TrainingResult:
    """The network with the weights of its best epoch, and a row of history an epoch; the first epoch is 1.

    `seconds` is how long the epochs took, with what came before each, and with those before an interruption.
    The checkpoint is to be removed once the model is safe on disk.
    """

    model: keras.Model
    history: list[dict[str, float]]
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
    after_epoch: Callable[[int], None] = lambda epoch: None,
    pretrained: Pretrained = NO_PRETRAINED,
) -> TrainingResult:
    """Train the network that `params` names, from where a checkpoint of the same training stands, if there is one.

    Every random number comes from the seed and the number of the epoch, so a training that was interrupted
    ends with the same bits as one that was not.

    Args:
        data: the images and labels; labels are below `classes`.
        classes: how many classes the labels have.
        params: the sections `train` and `augmentation`.
        checkpoints: a folder, made if need be, for the state after each epoch.
        after_epoch: called with the number of each epoch, from 1, once its checkpoint is written.
        given: the networks to imitate and to start from, if any.

    Raises:
        InputError: params do not fit each other, the images or the machine.
        DivergedError: the loss stopped being a number.
    """
    sizes = epoch_sizes(params.train, data.size)
    _check_enlargement(data.size, params.train)
    keras.utils.set_random_seed(params.train.seed)  # for the first weights
    any_size = len(set(sizes)) > 1 or params.train.inference_size is not None
    run = _Run(data, classes, params, any_size=any_size, pretrained=pretrained)
    _check_smallest(min(sizes), data, classes, params.train)
    checkpoint = Checkpoint(checkpoints, _key(data, classes, params, pretrained))
    state = checkpoint.load()
    if state is not None:
        run.restore(state)
    run.follow(sizes, checkpoint, after_epoch)
    return run.result(checkpoint)


def epoch_sizes(params: TrainParams, size: int) -> list[int]:
    """Return the size of the images in each epoch.

    Raises:
        InputError: `progressive_sizes` has more epochs than there are, or sizes that are not smaller.
    """
    first = [smaller for smaller, epochs in params.progressive_sizes for _ in range(epochs)]
    if len(first) > params.epochs or any(smaller >= size for smaller in first):
        raise InputError(
            f"train.progressive_sizes: got {params.progressive_sizes}, expected pairs [size, epochs] with sizes below "
            f"features.image_size ({size}) and at most train.epochs ({params.epochs}) epochs together"
        )
    return first + [size] * (params.epochs - len(first))


def _check_enlargement(size: int, params: TrainParams) -> None:
    if params.inference_size is None:
        return
    if params.architecture in registry.ARCHITECTURES.keys() - registry.ANY_SIZE:
        raise InputError(
            f"train.inference_size: {params.architecture} takes images of one size only; expected null or one of the "
            f"architectures {', '.join(sorted(registry.ANY_SIZE))}"
        )
    if params.inference_size <= size:
        raise InputError(
            f"train.inference_size: got {params.inference_size}, expected null or more than features.image_size "
            f"({size})"
        )


def _check_smallest(size: int, data: TrainingData, classes: int, params: TrainParams) -> None:
    if size == data.size:
        return
    smallest = registry.smallest_size(params.architecture, data.channels, classes)
    if size < smallest:
        raise InputError(
            f"train.progressive_sizes: got {params.progressive_sizes}, expected sizes of at least {smallest}: of "
            f"smaller images the layers of {params.architecture} leave nothing"
        )


def _key(data: TrainingData, classes: int, params: Params, pretrained: Pretrained) -> str:
    settings = {
        "train": params.train.model_dump(),
        "augmentation": params.augmentation.model_dump(),
        "compute": params.compute.model_dump(),
        "classes": classes,
        "precision": resolve_precision(params.train.precision),
        "keras": [keras.version(), keras.backend.backend()],
    }
    arrays = [data.x_train, data.y_train, data.x_val, data.y_val, data.votes_train]
    arrays += [weights for network in pretrained.networks for weights in network.get_weights()]
    return training_key(settings, [array for array in arrays if array is not None])


class _Run:
    """One training: the network as it will be saved, the same in its fast form, and where it stands.

    The fast form that trains is the one that is judged as well, unless the network is to enlarge its images.
    """

    def __init__(
        self,
        data: TrainingData,
        classes: int,
        params: Params,
        *,
        any_size: bool,
        pretrained: Pretrained = NO_PRETRAINED,
    ) -> None:
        self.data, self.classes, self.params, self.pretrained = data, classes, params.train, pretrained
        network = registry.build(params.train.architecture, data.size, data.channels, classes)
        copy_weights(pretrained, network, params.train)
        self.network = finished(network, data.size, params.train)
        self.fast = _training_form(None if any_size else data.size, data.channels, classes, params.train)
        self.fast.set_weights(self.network.get_weights())
        self.judged = finished(self.fast, data.size, params.train)
        _compile(self.judged, params.train, classes)
        self.augmentation, self.mixup = Augmentation(params.augmentation, params.train.seed), params.augmentation.mixup
        self.generators = [self.augmentation.seed_generator] + [
            layer.seed_generator for layer in self.fast.layers if hasattr(layer, "seed_generator")
        ]
        self.steps = math.ceil(len(data.x_train) / params.train.batch_size)
        self.optimizer = make_optimizer(params.train, self.steps, self.fast)
        self.optimizer.build(self.fast.trainable_variables)
        self.targets = _targets(data.y_train, classes) if data.votes_train is None else _shares(data.votes_train)
        self.val_targets = _targets(data.y_val, classes)
        self.sample_weights = _sample_weights(data.y_train, classes, params.train)
        self.history: list[dict[str, float]] = []
        self.teachers = Teachers(pretrained.teachers) if pretrained.teachers else None
        self.seconds = 0.0
        self.best = -1
        self.best_weights: list[np.ndarray] = []

    @cached_property
    def answers(self) -> np.ndarray | None:
        """What the teachers say of the images as they are, if that is to be learned: asked before the first epoch."""
        if self.teachers is None or self.params.teacher_inputs == "augmented":
            return None
        tqdm.write(f"asking {', '.join(self.params.teachers)} about {len(self.data.x_train):,} images")
        return ask_once(self.teachers, self.data.x_train, flip=self.augmentation.params.flip)

    @property
    def _variables(self) -> list[keras.Variable]:
        return [*self.fast.weights, *self.optimizer.variables]

    def restore(self, state: TrainingState) -> None:
        shapes = [tuple(variable.shape) for variable in self._variables]
        if shapes != [value.shape for value in state.variables]:
            raise InputError(
                f"the checkpoint of this training holds the weights of another network than "
                f"{self.params.architecture}; delete it in {CHECKPOINTS} and train from the start"
            )
        for variable, value in zip(self._variables, state.variables, strict=True):
            variable.assign(value)
        self.history, self.best, self.best_weights = state.history, state.best, state.best_weights
        self.seconds = state.seconds

    def state(self) -> TrainingState:
        variables = [ops.convert_to_numpy(variable) for variable in self._variables]
        return TrainingState(variables, self.best_weights, self.history, self.best, self.seconds)

    def follow(self, sizes: list[int], checkpoint: Checkpoint, after_epoch: Callable[[int], None]) -> None:
        """Train the epochs that are still to come, until patience ends."""
        size = 0
        with tqdm(total=len(sizes) * self.steps, initial=len(self.history) * self.steps, disable=None) as bar:
            if self.history:
                tqdm.write(f"going on after epoch {len(self.history)} of an interrupted training")
            while len(self.history) < len(sizes) and not self._out_of_patience():
                began = time.monotonic()
                epoch = len(self.history)
                if sizes[epoch] != size:
                    size = sizes[epoch]
                    student = self._student(_resized(self.data.x_train, size, self.data.color))
                self._epoch(epoch, size, student, bar)
                self.seconds += time.monotonic() - began
                checkpoint.save(self.state())
                after_epoch(epoch + 1)

    def _student(self, x_train: np.ndarray) -> keras.Model:
        """Return what `fit` trains: numbers of images, shares of the mixture, answers if any, to probabilities."""
        numbers = keras.Input((), dtype="int32", name="number")
        shares = keras.Input((), dtype="float32", name="share")
        inputs = [numbers, shares]
        images = self.augmentation(ImageTable(x_train)(numbers))
        if self.mixup:
            images = Mix()(images, shares)
        probabilities = self.fast(images)
        own_share = 1.0
        if self.teachers is not None:
            own_share -= self.params.teacher_share
            if self.answers is None:
                answers = self.teachers(images)
            else:
                answers = keras.Input(self.answers.shape[1:], dtype="float32", name="answer")
                inputs.append(answers)
            probabilities = Imitation(self.params.teacher_share)(answers, probabilities)
        student = keras.Model(inputs, probabilities)
        _compile(student, self.params, self.classes, optimizer=self.optimizer, loss_weights=own_share)
        return student

    def _out_of_patience(self) -> bool:
        return bool(self.params.patience) and len(self.history) - 1 - self.best >= self.params.patience

    def _epoch(self, epoch: int, size: int, student: keras.Model, bar: tqdm) -> None:
        for number, generator in enumerate(self.generators):
            generator.state.assign(np.random.SeedSequence([self.params.seed, epoch, number]).generate_state(2))
        watch = _Watch(bar, self._diverged)
        logs = student.fit(self._lesson(epoch), shuffle=False, verbose=0, callbacks=[watch]).history
        row = {"epoch": epoch + 1, "size": size} | self._scores(logs)
        if not math.isfinite(row["val_loss"]):
            self._diverged("validation")
        self.history.append(row)
        if self.best < 0 or self._score(row) > self._score(self.history[self.best]):
            self.best, self.best_weights = epoch, self.fast.get_weights()
        tqdm.write(
            f"epoch {epoch + 1:3d}  size {row['size']:3.0f}  loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}  "
            f"validation loss {row['val_loss']:.4f}  accuracy {row['val_accuracy']:.4f}"
        )

    def _lesson(self, epoch: int):
        """Return one epoch's batches; order, mixture and with them the targets follow from the seed and the epoch."""
        generator = np.random.default_rng([self.params.seed, epoch])
        order = generator.permutation(len(self.data.x_train)).astype(np.int32)
        shares, partners = mixing_shares(len(order), self.params.batch_size, self.mixup, generator)

        def mixed(rows: np.ndarray) -> np.ndarray:
            return shares[:, None] * rows[order] + (1 - shares[:, None]) * rows[order[partners]]

        inputs = (order, shares) if self.answers is None else (order, shares, mixed(self.answers))
        return make_dataset(inputs, mixed(self.targets), self.sample_weights[order], batch_size=self.params.batch_size)

    def _diverged(self, where: str) -> None:
        raise DivergedError(
            f"the loss is no number any more in epoch {len(self.history) + 1}, {where}; lower train.learning_rate "
            f"({self.params.learning_rate}) or raise train.warmup_epochs ({self.params.warmup_epochs})",
            self._network_of_best_epoch() if self.history else None,
        )

    def _scores(self, logs: dict[str, list[float]]) -> dict[str, float]:
        """Return loss and accuracy of the epoch in training, with augmentation, and on validation, without."""
        images = make_dataset(self.data.x_val, self.val_targets, batch_size=VALIDATION_BATCH)
        self.judged.set_weights(self.fast.get_weights())
        val_loss, val_accuracy = self.judged.evaluate(images, verbose=0)
        return {
            "loss": float(logs["loss"][0]),
            "accuracy": float(logs["accuracy"][0]),
            "val_loss": float(val_loss),
            "val_accuracy": float(val_accuracy),
            "learning_rate": float(ops.convert_to_numpy(self.optimizer.learning_rate)),
        }

    def _score(self, row: dict[str, float]) -> float:
        return row["val_accuracy"] if self.params.monitor == "accuracy" else -row["val_loss"]

    def _network_of_best_epoch(self) -> keras.Model:
        self.network.set_weights(self.best_weights)
        return self.network

    def result(self, checkpoint: Checkpoint) -> TrainingResult:
        return TrainingResult(self._network_of_best_epoch(), self.history, self.best + 1, self.seconds, checkpoint)


def finished(network: keras.Model, size: int, params: TrainParams) -> keras.Model:
    """Return `network` as it reads images of `size` once it is trained."""
    return network if params.inference_size is None else enlarge_inside(network, size, params.inference_size)


def _training_form(size: int | None, channels: int, classes: int, params: TrainParams) -> keras.Model:
    """Build the network as it trains: in the precision that params name, and in its fast form."""
    with dtype_policy(resolve_precision(params.precision)):
        return to_training_network(registry.build(params.architecture, size, channels, classes))


class _Watch(keras.callbacks.Callback):
    """Moves the progress bar, and calls `diverged` with the step at which the loss stopped being a number."""

    def __init__(self, bar: tqdm, diverged: Callable[[str], None]) -> None:
        super().__init__()
        self.bar, self.diverged = bar, diverged

    def on_train_batch_end(self, batch, logs=None) -> None:
        self.bar.update()
        if not math.isfinite(float(logs["loss"])):
            self.diverged(f"step {batch + 1}")


def _compile(network: keras.Model, params: TrainParams, classes: int, **more: Any) -> None:
    """Compile `network`, and make its counters: made in its first step, they have TensorFlow trace that step twice."""
    network.compile(loss=_loss(params, classes), metrics=[_accuracy(classes)], **more)
    some = ops.ones((1, network.output_shape[-1]))
    network.compute_metrics(None, some, some)
    network.reset_metrics()


def _loss(params: TrainParams, classes: int) -> keras.losses.Loss:
    if classes == 2:
        return keras.losses.BinaryCrossentropy(label_smoothing=params.label_smoothing)
    return keras.losses.CategoricalCrossentropy(label_smoothing=params.label_smoothing)


def _accuracy(classes: int) -> str | Callable[..., Any]:
    """Return the metric that Keras calls accuracy; of mixed images it counts the emotion with the larger share."""
    return _binary_accuracy if classes == 2 else "accuracy"


def _binary_accuracy(y_true, y_pred):
    return ops.cast(ops.equal(y_true > 0.5, y_pred > 0.5), "float32")


_binary_accuracy.__name__ = "accuracy"  # by which Keras logs it


def _targets(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return what the network should give for `labels`: the label (n, 1) of two classes, else one-hot (n, classes)."""
    if classes == 2:
        return np.asarray(labels, np.float32)[:, None]
    return np.eye(classes, dtype=np.float32)[np.asarray(labels)]


def _shares(votes: np.ndarray) -> np.ndarray:
    return (votes / votes.sum(axis=1, keepdims=True)).astype(np.float32)


def _sample_weights(labels: np.ndarray, classes: int, params: TrainParams) -> np.ndarray:
    """Return a weight per image: 1, or such that every class weighs the same; the mean is 1."""
    if params.class_weights == "none":
        return np.ones(len(labels), np.float32)
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (np.count_nonzero(counts) * counts[np.asarray(labels)])).astype(np.float32)


def _resized(images: np.ndarray, size: int, color: str) -> np.ndarray:
    if images.shape[1] == size:
        return images
    return np.stack([to_input(image, size, color) for image in images])
