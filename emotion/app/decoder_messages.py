"""Silence for the libraries that decode images: their warnings name no file."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STANDARD_ERROR = 2
"""The file descriptor that C libraries write to."""


@contextmanager
def silenced_decoders() -> Iterator[None]:
    """Drop what C libraries write to standard error in the block; Python still writes there.

    libpng and others print warnings about damaged files without their names, and OpenCV cannot turn them off. The
    descriptor belongs to the whole process. So a command does this once, around all its threads.
    """
    python_stderr = sys.stderr
    saved = os.dup(STANDARD_ERROR)
    try:
        python_stderr.flush()
        if _descriptor(python_stderr) == STANDARD_ERROR:
            sys.stderr = open(  # noqa: SIM115
                saved, "w", buffering=1, encoding=python_stderr.encoding, errors=python_stderr.errors, closefd=False
            )
        with open(os.devnull, "wb") as nothing:  # noqa: PTH123
            os.dup2(nothing.fileno(), STANDARD_ERROR)
        yield
    finally:
        sys.stderr.flush()
        sys.stderr = python_stderr
        os.dup2(saved, STANDARD_ERROR)
        os.close(saved)


def _descriptor(stream: io.TextIOBase | object) -> int | None:
    """Return the file descriptor of `stream`; None where it has none, as in tests."""
    try:
        return stream.fileno() if isinstance(stream, io.TextIOBase) else None
    except OSError:
        return None
