"""Training a network: the training split teaches, the validation split chooses the epoch, nothing else is seen."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from emotion import architectures
from emotion.augmentation import Augmentation
from emotion.checkpoint import Checkpoint, TrainingState, training_key
from emotion.errors import InputError
from emotion.fused import fuse
from emotion.images import to_input
from emotion.params import CHANNELS, Params, TrainParams

VALIDATION_BATCH = 256


@dataclass(frozen=True)
class TrainingData:
    """Pictures, uint8 (n, size, size, channels), and their labels, int (n,), of two splits.

    `votes_train`, int (n, classes), says how many people saw which emotion in each training picture. Where it is
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

    The checkpoint is to be removed once the model is safe on disk.
    """

    model: keras.Model
    history: list[dict[str, float]]
    best_epoch: int
    checkpoint: Checkpoint


def train(
    data: TrainingData,
    classes: int,
    params: Params,
    checkpoints: Path,
    after_epoch: Callable[[int], None] = lambda epoch: None,
) -> TrainingResult:
    """Train the network that `params` names, from where a checkpoint of the same training stands, if there is one.

    Every random number comes from the seed and the number of the epoch, so a training that was interrupted
    ends with the same bits as one that was not.

    Args:
        data: the pictures and labels; labels are below `classes`.
        classes: how many classes the labels have.
        params: the sections `train` and `augmentation`.
        checkpoints: a folder, made if need be, for the state after each epoch.
        after_epoch: called with the number of each epoch, from 1, once its checkpoint is written.

    Raises:
        InputError: params do not fit each other or the pictures, or the loss stopped being a number.
    """
    sizes = epoch_sizes(params.train, data.size)
    keras.utils.set_random_seed(params.train.seed)  # for the first weights
    run = _Run(data, classes, params, any_size=len(set(sizes)) > 1)
    _check_smallest(min(sizes), data, classes, params.train)
    checkpoint = Checkpoint(checkpoints, _key(data, classes, params))
    state = checkpoint.load()
    if state is not None:
        run.restore(state)
    run.follow(sizes, checkpoint, after_epoch)
    return run.result(checkpoint)


def epoch_sizes(params: TrainParams, size: int) -> list[int]:
    """Return the size of the pictures in each epoch.

    Raises:
        InputError: `smaller_first` has more epochs than there are, or sizes that are not smaller.
    """
    first = [smaller for smaller, epochs in params.smaller_first for _ in range(epochs)]
    if len(first) > params.epochs or any(smaller >= size for smaller in first):
        raise InputError(
            f"train.smaller_first: got {params.smaller_first}, expected pairs [size, epochs] with sizes below "
            f"features.image_size ({size}) and at most train.epochs ({params.epochs}) epochs together"
        )
    return first + [size] * (params.epochs - len(first))


def _check_smallest(size: int, data: TrainingData, classes: int, params: TrainParams) -> None:
    if size == data.size:
        return
    smallest = architectures.smallest_size(params.architecture, data.channels, classes)
    if size < smallest:
        raise InputError(
            f"train.smaller_first: got {params.smaller_first}, expected sizes of at least {smallest}: of smaller "
            f"pictures the layers of {params.architecture} leave nothing"
        )


def _key(data: TrainingData, classes: int, params: Params) -> str:
    settings = {
        "train": params.train.model_dump(),
        "augmentation": params.augmentation.model_dump(),
        "compute": params.compute.model_dump(),
        "classes": classes,
        "keras": [keras.version(), keras.backend.backend()],
    }
    arrays = [data.x_train, data.y_train, data.x_val, data.y_val, data.votes_train]
    return training_key(settings, [array for array in arrays if array is not None])


class _Run:
    """One training: the network as it will be saved, the same in its fast form, and where it stands."""

    def __init__(self, data: TrainingData, classes: int, params: Params, *, any_size: bool) -> None:
        self.data, self.params = data, params.train
        architecture = params.train.architecture
        self.network = architectures.build(architecture, data.size, data.channels, classes)
        self.fast = _fast_form(architecture, None if any_size else data.size, data.channels, classes, params.train)
        self.fast.set_weights(self.network.get_weights())
        augmentation = Augmentation(params.augmentation, params.train.seed)
        inputs = keras.Input(self.fast.input_shape[1:], dtype="uint8")
        self.model = keras.Model(inputs, self.fast(augmentation(inputs)))
        self.generators = [augmentation.seed_generator] + [
            layer.seed_generator for layer in self.fast.layers if hasattr(layer, "seed_generator")
        ]
        self.steps = math.ceil(len(data.x_train) / params.train.batch_size)
        optimizer = _optimizer(params.train, self.steps, self.fast)
        self.model.compile(optimizer, _loss(params.train, classes), metrics=["accuracy"])
        self.model.optimizer.build(self.model.trainable_variables)
        self.targets = _targets(data.y_train, classes) if data.votes_train is None else _shares(data.votes_train)
        self.val_targets = _targets(data.y_val, classes)
        self.sample_weights = _sample_weights(data.y_train, classes, params.train)
        self.history: list[dict[str, float]] = []
        self.best = -1
        self.best_weights: list[np.ndarray] = []

    @property
    def _variables(self) -> list[keras.Variable]:
        return [*self.fast.weights, *self.model.optimizer.variables]

    def restore(self, state: TrainingState) -> None:
        for variable, value in zip(self._variables, state.variables, strict=True):
            variable.assign(value)
        self.history, self.best, self.best_weights = state.history, state.best, state.best_weights

    def state(self) -> TrainingState:
        variables = [ops.convert_to_numpy(variable) for variable in self._variables]
        return TrainingState(variables, self.best_weights, self.history, self.best)

    def follow(self, sizes: list[int], checkpoint: Checkpoint, after_epoch: Callable[[int], None]) -> None:
        """Train the epochs that are still to come, until patience ends."""
        size, pictures = self.data.size, self.data.x_train
        with tqdm(total=len(sizes) * self.steps, initial=len(self.history) * self.steps, disable=None) as bar:
            if self.history:
                tqdm.write(f"going on after epoch {len(self.history)} of an interrupted training")
            while len(self.history) < len(sizes) and not self._out_of_patience():
                epoch = len(self.history)
                if sizes[epoch] != size:
                    size = sizes[epoch]
                    pictures = _resized(self.data.x_train, size, self.data.color)
                self._epoch(epoch, pictures, bar)
                checkpoint.save(self.state())
                after_epoch(epoch + 1)

    def _out_of_patience(self) -> bool:
        return bool(self.params.patience) and len(self.history) - 1 - self.best >= self.params.patience

    def _epoch(self, epoch: int, pictures: np.ndarray, bar: tqdm) -> None:
        for number, generator in enumerate(self.generators):
            generator.state.assign(np.random.SeedSequence([self.params.seed, epoch, number]).generate_state(2))
        batches = _Batches(pictures, self.targets, self.sample_weights, self.params, epoch)
        logs = self.model.fit(batches, shuffle=False, verbose=0, callbacks=[_Progress(bar)]).history
        row = {"epoch": epoch + 1, "size": pictures.shape[1]} | self._scores(logs)
        if not (math.isfinite(row["loss"]) and math.isfinite(row["val_loss"])):
            raise InputError(
                f"the loss is no number any more after epoch {epoch + 1}; lower train.learning_rate "
                f"({self.params.learning_rate}) or raise train.warmup_epochs ({self.params.warmup_epochs})"
            )
        self.history.append(row)
        if self.best < 0 or self._score(row) > self._score(self.history[self.best]):
            self.best, self.best_weights = epoch, self.fast.get_weights()
        tqdm.write(
            f"epoch {epoch + 1:3d}  size {row['size']:3.0f}  loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}  "
            f"validation loss {row['val_loss']:.4f}  accuracy {row['val_accuracy']:.4f}"
        )

    def _scores(self, logs: dict[str, list[float]]) -> dict[str, float]:
        """Return loss and accuracy of the epoch in training, with augmentation, and on validation, without."""
        val_loss, val_accuracy = self.model.evaluate(
            self.data.x_val, self.val_targets, batch_size=VALIDATION_BATCH, verbose=0
        )
        return {
            "loss": float(logs["loss"][0]),
            "accuracy": float(logs["accuracy"][0]),
            "val_loss": float(val_loss),
            "val_accuracy": float(val_accuracy),
            "learning_rate": float(ops.convert_to_numpy(self.model.optimizer.learning_rate)),
        }

    def _score(self, row: dict[str, float]) -> float:
        return row["val_accuracy"] if self.params.monitor == "accuracy" else -row["val_loss"]

    def result(self, checkpoint: Checkpoint) -> TrainingResult:
        self.network.set_weights(self.best_weights)
        return TrainingResult(self.network, self.history, self.best + 1, checkpoint)


def _fast_form(architecture: str, size: int | None, channels: int, classes: int, params: TrainParams) -> keras.Model:
    """Build the network as it trains: in the precision that params name, and fused where the backend can."""
    stock_precision = keras.config.dtype_policy()
    keras.config.set_dtype_policy(params.precision)
    try:
        return fuse(architectures.build(architecture, size, channels, classes))
    finally:
        keras.config.set_dtype_policy(stock_precision)


class _Batches(keras.utils.PyDataset):
    """One epoch's batches, in an order that follows from the seed and the epoch."""

    def __init__(self, pictures, targets, sample_weights, params, epoch) -> None:
        super().__init__()
        self.pictures, self.targets, self.sample_weights = pictures, targets, sample_weights
        self.batch_size = params.batch_size
        self.order = np.random.default_rng([params.seed, epoch]).permutation(len(pictures))

    def __len__(self) -> int:
        return math.ceil(len(self.order) / self.batch_size)

    def __getitem__(self, index: int):
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.pictures[chosen], self.targets[chosen], self.sample_weights[chosen]


class _Progress(keras.callbacks.Callback):
    def __init__(self, bar: tqdm) -> None:
        super().__init__()
        self.bar = bar

    def on_train_batch_end(self, batch, logs=None) -> None:
        self.bar.update()


class _WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """From zero to the peak in the first steps, then constant, or along half a cosine to zero at the last."""

    def __init__(self, params: TrainParams, steps_per_epoch: int) -> None:
        self.peak, self.cosine = params.learning_rate, params.schedule == "cosine"
        self.warmup, self.total = params.warmup_epochs * steps_per_epoch, params.epochs * steps_per_epoch

    def __call__(self, step):
        step = ops.cast(step, "float32")
        warm = ops.minimum(1.0, (step + 1) / max(1, self.warmup))
        if not self.cosine:
            return self.peak * warm
        progress = ops.clip((step - self.warmup) / max(1, self.total - self.warmup), 0, 1)
        return self.peak * warm * (1 + ops.cos(math.pi * progress)) / 2


def _optimizer(params: TrainParams, steps_per_epoch: int, network: keras.Model) -> keras.optimizers.Optimizer:
    rate = _WarmUp(params, steps_per_epoch)
    if params.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=params.weight_decay)
    else:
        optimizer = keras.optimizers.Adam(rate, weight_decay=params.weight_decay)
    optimizer.exclude_from_weight_decay([w for w in network.trainable_weights if not w.name.endswith("kernel")])
    return optimizer


def _loss(params: TrainParams, classes: int) -> keras.losses.Loss:
    if classes == 2:
        return keras.losses.BinaryCrossentropy(label_smoothing=params.label_smoothing)
    return keras.losses.CategoricalCrossentropy(label_smoothing=params.label_smoothing)


def _targets(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return what the network should give for `labels`: the label (n, 1) of two classes, else one-hot (n, classes)."""
    if classes == 2:
        return np.asarray(labels, np.float32)[:, None]
    return np.eye(classes, dtype=np.float32)[np.asarray(labels)]


def _shares(votes: np.ndarray) -> np.ndarray:
    return (votes / votes.sum(axis=1, keepdims=True)).astype(np.float32)


def _sample_weights(labels: np.ndarray, classes: int, params: TrainParams) -> np.ndarray:
    """Return a weight a picture: 1, or such that every class weighs the same; the mean is 1."""
    if params.class_weights == "none":
        return np.ones(len(labels), np.float32)
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (np.count_nonzero(counts) * counts[np.asarray(labels)])).astype(np.float32)


def _resized(pictures: np.ndarray, size: int, color: str) -> np.ndarray:
    if pictures.shape[1] == size:
        return pictures
    return np.stack([to_input(picture, size, color) for picture in pictures])
