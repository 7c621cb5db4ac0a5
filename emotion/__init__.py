"""Facial-emotion recognition: from raw images of faces to a trained, honestly measured model.

`from emotion import Predictor, read_image` gives what reads photos. Both are loaded when first used, so a stage that
imports one room loads no other.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """Return `Predictor` or `read_image` from its room."""
    if name == "Predictor":
        from emotion.inference.predictor import Predictor

        return Predictor
    if name == "read_image":
        from emotion.data.images import read_image

        return read_image
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
