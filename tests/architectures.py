"""Tests of every architecture: make test takes the quickest one, and make test-slow the others."""

from collections.abc import Iterable
from typing import Any

import pytest

QUICK = "residual_small"


def quickest_first(names: Iterable[str]) -> list[Any]:
    """Return the names as values of a parametrized test, all but one of them slow."""
    return [pytest.param(name, marks=() if name == QUICK else pytest.mark.slow) for name in names]
