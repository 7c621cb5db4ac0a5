"""Errors for model files that no engine can run."""

from pathlib import Path

from emotion.core.errors import InputError, first_line, in_one_line

NOT_OURS = "expected a model file that this project wrote: .keras, .tflite or .onnx"


def not_installed(path: Path, error: ImportError, packages: str) -> InputError:
    """Return the error for a file whose engine needs `packages`, names for pip separated by blanks."""
    return InputError(
        f"{path} cannot be run here ({error}); install the missing packages with `pip install {packages}`, or use a "
        "model file of another format"
    )


def broken_file(path: Path, error: object) -> InputError:
    """Return the error for a file that cannot be loaded. The first line of `error` is the reason."""
    return InputError(f"{path} cannot be loaded as a model ({_shorten(error)}); {NOT_OURS}")


def failed_network(path: Path, error: object) -> InputError:
    """Return the error for a file that was loaded, but whose network cannot compute."""
    return InputError(f"{path} cannot predict ({_shorten(error)}); {NOT_OURS}")


def _shorten(error: object) -> str:
    return in_one_line(first_line(error))


def without_metadata(path: Path) -> InputError:
    """Return the error for a file without metadata."""
    return InputError(f"{path} has no metadata, so its emotions are unknown; {NOT_OURS}")
