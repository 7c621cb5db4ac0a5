"""The network in training, with all that surrounds it in a step."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from emotion.core.errors import InputError
from emotion.core.params import Params
from emotion.core.paths import CHECKPOINTS
from emotion.training.augmentation import Augmentation, Mix
from emotion.training.distillation import DistillationLoss, Teachers
from emotion.training.input_pipeline import ImageTable
from emotion.training.objective import compile_network
from emotion.training.optimizers import make_optimizer


class Student:
    """A network, random changes of its images, the teachers that it imitates, and the optimizer."""

    def __init__(
        self,
        network: keras.Model,
        classes: int,
        params: Params,
        steps_per_epoch: int,
        teachers: Sequence[keras.Model] = (),
    ) -> None:
        """Take the network to train, of which nothing is changed yet.

        Args:
            network: maps uint8 images to probabilities.
            classes: how many classes there are.
            params: the sections `train` and `augmentation`.
            steps_per_epoch: by which the learning rate is scheduled.
            teachers: networks to imitate.
        """
        self.network, self.classes, self.params = network, classes, params.train
        self.mixup = params.augmentation.mixup
        self.augmentation = Augmentation(params.augmentation, params.train.seed)
        self.optimizer = make_optimizer(params.train, steps_per_epoch, network)
        self.optimizer.build(network.trainable_variables)
        self.teachers = Teachers(teachers) if teachers else None

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next step."""
        return float(ops.convert_to_numpy(self.optimizer.learning_rate))

    @property
    def _variables(self) -> list[keras.Variable]:
        return [*self.network.weights, *self.optimizer.variables]

    def variable_values(self) -> list[np.ndarray]:
        """Return the weights of the network, then the variables of the optimizer."""
        return [ops.convert_to_numpy(variable) for variable in self._variables]

    def restore(self, values: list[np.ndarray]) -> None:
        """Take over what `variable_values` returned.

        Raises:
            InputError: they are those of another network.
        """
        if [tuple(variable.shape) for variable in self._variables] != [value.shape for value in values]:
            raise InputError(
                f"the checkpoint of this training holds the weights of another network than "
                f"{self.params.architecture}; delete it in {CHECKPOINTS} and train from the start"
            )
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)

    def seed(self, epoch: int) -> None:
        """Have all random numbers of an epoch follow from the seed and the number of the epoch."""
        dropouts = [layer.seed_generator for layer in self.network.layers if hasattr(layer, "seed_generator")]
        for number, generator in enumerate([self.augmentation.seed_generator, *dropouts]):
            generator.state.assign(np.random.SeedSequence([self.params.seed, epoch, number]).generate_state(2))

    def build_model(self, x_train: np.ndarray, *, teacher_targets: bool) -> keras.Model:
        """Return a compiled model around the network, which learns from batches of `epoch_dataset`.

        Args:
            x_train: all training images, uint8 (n, size, size, channels).
            teacher_targets: whether batches have the teachers' probabilities; else teachers get the augmented images.
        """
        numbers = keras.Input((), dtype="int32", name="number")
        shares = keras.Input((), dtype="float32", name="share")
        teacher = keras.Input((self.classes,), dtype="float32", name="teacher")
        images = self.augmentation(ImageTable(x_train)(numbers))
        if self.mixup:
            images = Mix()(images, shares)
        probabilities = self.network(images)
        if self.teachers is not None:
            target = teacher if teacher_targets else self.teachers(images)
            probabilities = DistillationLoss(self.params.teacher_share)(target, probabilities)
        model = keras.Model([numbers, shares, *([teacher] if teacher_targets else [])], probabilities)
        compile_network(model, self.params, self.classes, optimizer=self.optimizer, loss_weights=self._label_share)
        return model

    @property
    def _label_share(self) -> float:
        return 1.0 if self.teachers is None else 1.0 - self.params.teacher_share
