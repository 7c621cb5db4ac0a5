"""The recipe of the networks of an audit: that of a training, made short and free of other models."""

from emotion.core.params import Params

EPOCHS = 10
"""The most epochs of a network, where the user names no number."""


def shorten_recipe(params: Params, epochs: int | None) -> Params:
    """Return the sections train, augmentation and compute for the networks of an audit.

    They start at random weights and imitate no teacher. Another model may have learned the labels that it is to check.
    Their best epoch is that of the lowest loss, since the audit uses their probabilities.

    Args:
        params: the sections train, augmentation and compute of a training.
        epochs: of a network; None for those of `params`, EPOCHS at most.
    """
    changes = {
        "epochs": epochs or min(EPOCHS, params.train.epochs),
        "patience": 0,
        "monitor": "loss",
        "init_from": None,
        "teacher": None,
        "teacher_share": 0.0,
    }
    train = params.train.model_copy(update=changes)
    return Params(train=train, augmentation=params.augmentation, compute=params.compute)
