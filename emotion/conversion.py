"""Writing a trained model in the forms that other programs want."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import h5py

from emotion.errors import InputError
from emotion.files import atomic_path
from emotion.model_file import load_model
from emotion.model_form import FORM_MEMBER

SUFFIXES = (".h5",)


def convert(source: Path, target: Path) -> None:
    """Write the model file `source` as `target`, in the form that its suffix names.

    `.h5` is Keras' older HDF5 form. It holds the same network and weights, and as its attribute `emotion.json` the
    labels and the input form.

    Raises:
        InputError: the suffix is not known, `target` exists, or `source` is no model of this project.
    """
    if target.suffix not in SUFFIXES:
        raise InputError(f"{target}: expected a name that ends in {' or '.join(SUFFIXES)}")
    if target.exists():
        raise InputError(f"{target} exists already; remove it first, or give another name")
    model, form = load_model(source)
    with atomic_path(target) as temporary:
        with _without_advice():
            model.save(temporary)
        with h5py.File(temporary, "r+") as file:
            file.attrs[FORM_MEMBER] = json.dumps(asdict(form))


@contextmanager
def _without_advice() -> Iterator[None]:
    """Keep back Keras' advice to save as .keras, which is what the file was converted from."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
