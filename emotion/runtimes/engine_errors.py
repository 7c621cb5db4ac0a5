"""What is wrong with a model file that no engine can run, as errors for the user."""

from pathlib import Path

from emotion.core.errors import InputError

NOT_OURS = "expected a model file that this project wrote: .keras, .tflite or .onnx"


def not_installed(path: Path, error: ImportError, packages: str) -> InputError:
    """Return the error for a file whose engine needs `packages`, as pip takes their names."""
    return InputError(
        f"{path} cannot be run here ({error}); install what runs it: pip install {packages}, or name a model file of "
        "another kind"
    )


def broken_file(path: Path, error: object) -> InputError:
    """Return the error for a file that cannot be loaded; the first line of `error` is the reason."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return InputError(f"{path} cannot be loaded as a model ({reason}); {NOT_OURS}")


def without_metadata(path: Path) -> InputError:
    """Return the error for a file that holds no metadata."""
    return InputError(f"{path} does not say which emotions it tells apart; {NOT_OURS}")
