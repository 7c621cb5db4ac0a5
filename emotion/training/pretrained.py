"""Trained networks that a training builds on: those that it imitates, and the one that it starts from."""

from dataclasses import dataclass
from pathlib import Path

import keras

from emotion.core.errors import InputError
from emotion.core.metadata import ModelMetadata
from emotion.core.params import TrainParams
from emotion.core.paths import PRETRAINED_MODELS, RELEASED_MODELS
from emotion.model_files.keras_file import load_model
from emotion.networks.head import find_head
from emotion.training.acceleration.training_network import to_training_network
from emotion.training.precision import resolve_precision


@dataclass(frozen=True)
class Pretrained:
    """The networks in models/pretrained that params.yaml names.

    Attributes:
        teachers: networks of as many classes, whose probabilities the new one imitates beside the labels.
        start: a network of the same architecture, whose weights the new one has at first.
        keep_head: whether it has those of the last layer as well, which takes the same emotions in the same order.
    """

    teachers: tuple[keras.Model, ...] = ()
    start: keras.Model | None = None
    keep_head: bool = True

    @property
    def networks(self) -> list[keras.Model]:
        """The teachers, then the network to start from, if any."""
        return [*self.teachers, *([] if self.start is None else [self.start])]


NO_PRETRAINED = Pretrained()


def read_pretrained(params: TrainParams, metadata: ModelMetadata) -> Pretrained:
    """Return the networks that `params` name, for a training on images and emotions as in `metadata`.

    Raises:
        InputError: a file is missing, or not fit for its purpose.
    """
    if params.teachers and params.teacher_share == 0:
        raise InputError(
            "train.teacher_share: got 0 with a train.teacher, which would then teach nothing; expected 0.5"
        )
    _check_files("train.teacher", params.teachers)
    if params.init_from is not None:
        _check_files("train.init_from", [params.init_from])
    teachers = tuple(_read_teacher(name, params, metadata) for name in params.teachers)
    if params.init_from is None:
        return Pretrained(teachers)
    start, start_metadata = _read_network("train.init_from", params.init_from, metadata)
    return Pretrained(teachers, start, keep_head=start_metadata.emotions == metadata.emotions)


def copy_weights(pretrained: Pretrained, network: keras.Model, params: TrainParams) -> None:
    """Give `network` the weights of the one that it starts from, where there is one.

    Raises:
        InputError: that network has another architecture.
    """
    if pretrained.start is None:
        return
    own, others = network.get_weights(), pretrained.start.get_weights()
    copied = len(own) if pretrained.keep_head else len(own) - len(find_head(network).get_weights())
    if [value.shape for value in own[:copied]] != [value.shape for value in others[:copied]]:
        raise InputError(
            f"train.init_from: {PRETRAINED_MODELS / str(params.init_from)} is another network than train.architecture "
            f"{params.architecture} at this features.image_size; expected one that was trained with both as they are"
        )
    network.set_weights(others[:copied] + own[copied:])


def _read_teacher(name: str, params: TrainParams, metadata: ModelMetadata) -> keras.Model:
    teacher, teacher_metadata = _read_network("train.teacher", name, metadata)
    if teacher_metadata.emotions != metadata.emotions:
        raise InputError(
            f"train.teacher: {PRETRAINED_MODELS / name} tells apart {', '.join(teacher_metadata.emotions)}; expected "
            f"the emotions of labels.scheme in their order, {', '.join(metadata.emotions)}; change labels.scheme, or "
            "set train.teacher to null"
        )
    return to_training_network(teacher, resolve_precision(params.precision))


def _read_network(param: str, name: str, metadata: ModelMetadata) -> tuple[keras.Model, ModelMetadata]:
    """Return a network that takes images of the color in `metadata`, and its own metadata."""
    path = PRETRAINED_MODELS / name
    network, own_metadata = load_model(path)
    if own_metadata.color != metadata.color:
        raise InputError(f"{param}: {path} takes {own_metadata.color} images, expected {metadata.color}")
    return network, own_metadata


def _check_files(param: str, names: list[str]) -> None:
    """Raise InputError where `param` names models outside models/pretrained, on which stage train depends, or none."""
    outside = [name for name in names if Path(name).name != name]
    if outside:
        raise InputError(
            f"{param}: got {', '.join(outside)}, expected the name of a file in {PRETRAINED_MODELS}; copy the model "
            "there"
        )
    missing = [name for name in names if not (PRETRAINED_MODELS / name).is_file()]
    if missing:
        raise InputError(
            f"{param}: got {', '.join(missing)}, which {PRETRAINED_MODELS} does not have; set {param} to null, or copy "
            "trained models there:"
            + "".join(f"\n  cp {_find_released(name)} {PRETRAINED_MODELS / name}" for name in missing)
        )


def _find_released(name: str) -> Path:
    """Return the released model after which the file `name` is called, or a placeholder where there is none."""
    released = RELEASED_MODELS / Path(name).stem / "model.keras"
    return released if released.is_file() else RELEASED_MODELS / "NAME/model.keras"
