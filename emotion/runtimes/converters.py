"""What the exports to TensorFlow Lite and ONNX have in common: both are converted by TensorFlow."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from emotion.core.errors import InputError
from emotion.core.quiet import quiet


def check_backend() -> None:
    """Raise InputError where Keras runs on another backend than TensorFlow, which the converters need."""
    import keras

    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise InputError(
            f"models are converted by TensorFlow, and Keras runs on {backend} here; run the command again with "
            "KERAS_BACKEND=tensorflow: a trained model can be converted whatever trained it"
        )


@contextmanager
def converting(kind: str) -> Iterator[None]:
    """Keep the terminal quiet while a converter to `kind` runs; raise InputError with the reason where it fails."""
    try:
        with quiet(stdout=True), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    # Converters raise whatever their passes trip over.
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"the model cannot be converted to {kind}: {reason}; train.architecture has layers that {kind} has not"
        ) from error
