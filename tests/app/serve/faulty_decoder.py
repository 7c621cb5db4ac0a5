"""A decoder in a process of its own, for tests: one image takes for ever, and one ends the process."""

import os
from multiprocessing.connection import Connection

import numpy as np

from emotion.app.serve import decoding
from emotion.data import images

FOR_EVER, THE_END = b"for ever", b"the end"


def answer_faults(connection: Connection, parent: int) -> None:
    """Answer as `answer_images`."""
    decoding.decode = decode_or_fail  # type: ignore[attr-defined]
    answer_images(connection, parent)


answer_images = decoding.answer_images


def decode_or_fail(data: bytes) -> np.ndarray:
    while data == FOR_EVER:
        pass
    if data == THE_END:
        os._exit(3)
    return images.decode(data)
