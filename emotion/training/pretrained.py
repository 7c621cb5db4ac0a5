"""Trained networks that a training is given: those that it imitates, and the one that it starts from."""

from dataclasses import dataclass
from pathlib import Path

import keras

from emotion.core.errors import InputError
from emotion.core.metadata import ModelForm
from emotion.core.params import TrainParams
from emotion.core.paths import GIVEN_MODELS
from emotion.model_files.keras_file import load_model
from emotion.training.acceleration.training_network import fast_form
from emotion.training.precision import resolve_precision


@dataclass(frozen=True)
class GivenModels:
    """What params.yaml names of the folder models/given.

    Attributes:
        teachers: networks of as many classes, whose probabilities the new one imitates beside the labels.
        start: a network of the same architecture, whose weights the new one has at first.
        keep_head: whether those of its last layer are among them, which takes the same emotions in the same order.
    """

    teachers: tuple[keras.Model, ...] = ()
    start: keras.Model | None = None
    keep_head: bool = True

    @property
    def networks(self) -> list[keras.Model]:
        return [*self.teachers, *([] if self.start is None else [self.start])]


NO_MODELS = GivenModels()


def read_given(params: TrainParams, form: ModelForm) -> GivenModels:
    """Return the networks that `params` name, for a training of images and emotions as `form` says.

    Raises:
        InputError: a file is missing, or not fit for its purpose.
    """
    teachers = tuple(_read_teacher(name, params, form) for name in params.teachers)
    if teachers and params.teacher_share == 0:
        raise InputError(
            "train.teacher_share: got 0 with a train.teacher, which would then teach nothing; expected 0.5"
        )
    if params.start_from is None:
        return GivenModels(teachers)
    start, started = _read("train.start_from", params.start_from, form)
    return GivenModels(teachers, start, keep_head=started.emotions == form.emotions)


def carry_over(given: GivenModels, network: keras.Model, params: TrainParams) -> None:
    """Give `network` the weights of the one that it starts from, where there is one.

    Raises:
        InputError: that is another network.
    """
    if given.start is None:
        return
    own, others = network.get_weights(), given.start.get_weights()
    carried = len(own) if given.keep_head else len(own) - len(_head(network).get_weights())
    if [value.shape for value in own[:carried]] != [value.shape for value in others[:carried]]:
        raise InputError(
            f"train.start_from: {GIVEN_MODELS / str(params.start_from)} is another network than train.architecture "
            f"{params.architecture} at this features.image_size; expected one that was trained with both as they are"
        )
    network.set_weights(others[:carried] + own[carried:])


def _head(network: keras.Model) -> keras.layers.Layer:
    return next(layer for layer in reversed(network.layers) if layer.weights)


def _read_teacher(name: str, params: TrainParams, form: ModelForm) -> keras.Model:
    teacher, taught = _read("train.teacher", name, form)
    if taught.emotions != form.emotions:
        raise InputError(
            f"train.teacher: {GIVEN_MODELS / name} tells apart {', '.join(taught.emotions)}; expected "
            f"{', '.join(form.emotions)}"
        )
    return fast_form(teacher, resolve_precision(params.precision))


def _read(param: str, name: str, form: ModelForm) -> tuple[keras.Model, ModelForm]:
    """Return a network that takes images of the color that `form` says, and its own form."""
    path = _path(param, name)
    if not path.is_file():
        raise InputError(
            f"{param}: {path} is missing; copy a trained model there, such as models/released/NAME/model.keras "
            "(`dvc pull` brings it), or set it to null"
        )
    network, found = load_model(path)
    if found.color != form.color:
        raise InputError(f"{param}: {path} takes {found.color} images, expected {form.color}")
    return network, found


def _path(param: str, name: str) -> Path:
    """Return where the file `name` stands; stage train depends on what is in that folder, and on no other."""
    if Path(name).name != name:
        raise InputError(f"{param}: got {name}, expected the name of a file in {GIVEN_MODELS}; copy the model there")
    return GIVEN_MODELS / name
