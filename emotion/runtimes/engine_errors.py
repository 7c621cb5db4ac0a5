"""Errors for model files that no engine can run."""

from pathlib import Path

from emotion.core.errors import InputError

NOT_OURS = "expected a model file that this project wrote: .keras, .tflite or .onnx"


def not_installed(path: Path, error: ImportError, packages: str) -> InputError:
    """Return the error for a file whose engine needs `packages`, names for pip separated by blanks."""
    return InputError(
        f"{path} cannot be run here ({error}); install the missing packages with `pip install {packages}`, or use a "
        "model file of another format"
    )


def broken_file(path: Path, error: object) -> InputError:
    """Return the error for a file that cannot be loaded. The first line of `error` is the reason."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return InputError(f"{path} cannot be loaded as a model ({reason}); {NOT_OURS}")


def without_metadata(path: Path) -> InputError:
    """Return the error for a file without metadata."""
    return InputError(f"{path} has no metadata, so its emotions are unknown; {NOT_OURS}")
