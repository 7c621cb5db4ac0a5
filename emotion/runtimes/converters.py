"""Code that the exports to TensorFlow Lite and ONNX share. TensorFlow does both conversions."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from emotion.core.errors import InputError, first_line
from emotion.core.quiet import quiet


def check_backend() -> None:
    """Raise InputError where Keras runs on another backend than TensorFlow."""
    import keras

    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise InputError(
            f"Keras runs on {backend}, but only TensorFlow converts models; run the command again with "
            "KERAS_BACKEND=tensorflow. It converts models that any backend trained"
        )


@contextmanager
def converting(kind: str) -> Iterator[None]:
    """Suppress the output of a converter to `kind`; turn its errors into an InputError with the reason."""
    try:
        with quiet(stdout=True), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    # A converter may raise any type of error.
    except Exception as error:
        raise InputError(
            f"the model cannot be converted to {kind} ({first_line(error)}); choose a train.architecture whose "
            f"layers {kind} supports"
        ) from error
