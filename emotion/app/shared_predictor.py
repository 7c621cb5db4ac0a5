"""A predictor on the workers of a cluster: each loads the model file once, and it has to be the same file."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from emotion.app.file_hash import hash_file
from emotion.core.errors import InputError
from emotion.inference.predictor import Predictor, find_standard
from emotion.parallel.on_worker import is_on_worker

MOST_LOADED = 2
"""Predictors that a worker keeps. It may run for weeks, and each command may name another model."""


@dataclass(frozen=True)
class SharedPredictor:
    """The settings of a `Predictor`, which workers make for themselves.

    Attributes:
        model: the whole path of the model file; None for the standard model, which a worker may have elsewhere.
        sha256: of the model file.
        detector, margin, smallest, thorough: as in `Predictor`.
    """

    model: Path | None
    sha256: str
    detector: str
    margin: float | None
    smallest: int | None
    thorough: bool

    def load(self) -> Predictor:
        """Return the predictor of this process, which computes in one thread.

        Raises:
            InputError: the model file is missing here, is another one, or cannot be used.
        """
        return _load(self)


def share_predictor(
    model: Path | None, *, detector: str, margin: float | None, smallest: int | None, thorough: bool
) -> SharedPredictor:
    """Return the settings for workers; see `Predictor`.

    Raises:
        InputError: the model file is missing.
    """
    digest = _hash(find_standard() if model is None else model)
    return SharedPredictor(None if model is None else model.absolute(), digest, detector, margin, smallest, thorough)


@lru_cache(maxsize=MOST_LOADED)
def _load(shared: SharedPredictor) -> Predictor:
    path = shared.model or find_standard()
    if _hash(path) != shared.sha256:
        raise InputError(
            f"the model file {path} there is not that of this machine; copy the same file to all machines, or name one "
            "in a shared folder with --model"
        )
    return Predictor(
        path,
        detector=shared.detector,
        margin=shared.margin,
        smallest=shared.smallest,
        thorough=shared.thorough,
        threads=1,
    )


def _hash(path: Path) -> str:
    try:
        return hash_file(path)
    except OSError as error:
        where = " there" if is_on_worker() else ""
        raise InputError(
            f"the model file {path} cannot be read{where} ({error.strerror}); every machine needs it under this path"
        ) from None
