"""A piece of work on a worker of a cluster: it runs only where the worker has the same code and packages."""

import hashlib
import pickle
import platform
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from emotion.core.errors import InputError, is_disk_full
from emotion.parallel.on_worker import as_worker
from emotion.parallel.single_thread import single_threaded_opencv

READING = ("numpy", "opencv-python-headless", "pillow", "simplejpeg", "pillow-heif", "onnxruntime", "av")
"""Packages that decode images and find faces. Another version, or none, may give other bytes."""

PREDICTING = ("ai-edge-litert", "keras", "tensorflow", "pandas")
"""Packages of which a worker may lack one that its work does not need."""

CODE = "the code of emotion"

Environment = Mapping[str, str]
"""The versions on which results depend, by name."""


class WrongEnvironmentError(InputError):
    """A worker has other packages or other code than the machine with the command."""


class PieceFailure(Exception):
    """The error that ended a piece, and the address of the worker."""

    def __init__(self, worker: str, error: Exception) -> None:
        super().__init__(worker, error)
        self.worker, self.error = worker, error


@cache
def environment() -> Environment:
    """Return the versions of this machine; of packages that are not installed, an empty text."""
    packages = {name: _version(name) for name in (*READING, *PREDICTING)}
    return {"Python": platform.python_version().rpartition(".")[0], CODE: _hash_code(), **packages}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _hash_code() -> str:
    """Return a hash of the modules of `emotion`."""
    top = Path(__file__).parents[1]
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(top.rglob("*.py")):
        digest.update(file.relative_to(top).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def find_difference(own: Environment, expected: Environment) -> str:
    """Return what differs between a worker and the machine with the command; an empty text where nothing does."""
    for name, wanted in expected.items():
        found = own.get(name, "")
        if found != wanted and not (name in PREDICTING and not (found and wanted)):
            return CODE if name == CODE else f"{name} {found or '(not installed)'} in place of {wanted or 'none'}"
    return ""


def run_piece(function: bytes, expected: Environment, piece: bytes) -> Any:
    """Return `function(piece)`, on a worker.

    Args:
        function: pickled, since the worker may lack its module.
        expected: what `environment` returns where the command runs.
        piece: pickled, too.

    Raises:
        PieceFailure: the function raised an error, or the worker differs from what is expected.
    """
    from distributed import get_worker

    _keep_at_work()
    try:
        return _run_checked(function, expected, piece)
    except Exception as error:
        raise PieceFailure(get_worker().address, _portable(error)) from None


def _keep_at_work() -> None:
    """Have Dask not pause this worker at 80 % of its memory limit; at 95 % it ends the worker, as before.

    Libraries and a model do not give memory back, so the pause would have no end, and its pieces would wait for ever.
    """
    from distributed import get_worker

    manager = get_worker().memory_manager
    if manager is not None:
        manager.memory_pause_fraction = False


def _run_checked(function: bytes, expected: Environment, piece: bytes) -> Any:
    difference = find_difference(environment(), expected)
    if difference:
        raise WrongEnvironmentError(
            f"it has {difference}" if difference != CODE else f"{CODE} there is not that of this machine"
        )
    with as_worker(), single_threaded_opencv():
        return pickle.loads(function)(pickle.loads(piece))  # noqa: S301


def _portable(error: Exception) -> Exception:
    """Return an error that can be sent: one of ours, or its text."""
    if isinstance(error, ModuleNotFoundError):
        return WrongEnvironmentError(f"the module {error.name} is not installed there")
    if isinstance(error, OSError) and is_disk_full(error):
        return InputError(f"the disk is full there ({error}); free some space and run the command again")
    return error if isinstance(error, InputError) else RuntimeError(f"{type(error).__name__}: {error}")


RUN_PACKED = pickle.loads
"""The task with a packed piece. Every worker has it, and Dask ends a worker that lacks a module of its task."""


def make_packer(function: Callable[[Any], Any]) -> Callable[[Any], bytes]:
    """Return what packs a piece, so that RUN_PACKED calls `run_piece` with the function and the piece."""
    return partial(_pack, pickle.dumps(function), dict(environment()))


def _pack(function: bytes, expected: Environment, piece: Any) -> bytes:
    return pickle.dumps(_Call(function, expected, pickle.dumps(piece)))


class _Call:
    """Is unpickled as the result of `run_piece`."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return run_piece, self._arguments
