"""Warnings of the libraries that decode images stay out of standard error; Python's messages do not."""

import os
import sys

import numpy as np
import pytest

from emotion.app.decoder_messages import silenced_decoders
from emotion.data.images import decode
from tests.makers import encode


@pytest.fixture
def warned_png():
    """A PNG file with a needless chunk whose sum is wrong, of which libpng warns."""
    data = encode(np.full((64, 64), 90, np.uint8), ".png")
    return data[:33] + b"\0\0\0\4gAMA\0\0\xb1\x8fsum?" + data[33:]


def test_the_file_is_one_that_libpng_warns_of(warned_png, capfd):
    decode(warned_png)
    assert "libpng warning" in capfd.readouterr().err


def test_decoders_are_silent_and_python_is_not(warned_png, capfd):
    with silenced_decoders():
        decode(warned_png)
        print("ours", file=sys.stderr)
    assert capfd.readouterr().err == "ours\n"


def test_python_keeps_a_standard_error_that_is_the_processs(monkeypatch, capfd):
    with open(2, "w", closefd=False, encoding="utf-8") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        with silenced_decoders():
            os.write(2, b"theirs\n")
            print("ours", file=sys.stderr)
        assert sys.stderr is stderr
        os.write(2, b"after\n")
    assert capfd.readouterr().err == "ours\nafter\n"


def test_an_error_in_the_block_gives_standard_error_back(capfd):
    with pytest.raises(ValueError, match="broken"), silenced_decoders():
        raise ValueError("broken")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
