"""What fuzz tests share: whole files in which some bytes are others, are missing or come twice."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import strategies as st

from emotion.core.errors import InputError


@st.composite
def damaged(draw: st.DrawFn, files: Sequence[bytes]) -> bytes:
    """Draw one of `files` with up to five places damaged."""
    data = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(data)))
        data[start : start + draw(st.integers(0, 9))] = draw(st.binary(max_size=9))
    return bytes(data)


@contextmanager
def may_be_refused() -> Iterator[None]:
    """Let an InputError end the block, with a message of one line that a terminal can show."""
    try:
        yield
    except InputError as error:
        if not str(error).isprintable():
            pytest.fail(repr(error))
