"""OpenCV in one thread, where other threads or processes use the other cores."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def single_threaded_opencv() -> Iterator[None]:
    """Keep OpenCV to one thread per call during the block, where it is loaded.

    Several images at a time are faster than several threads per image.
    """
    opencv = sys.modules.get("cv2")
    if opencv is None:
        yield
        return
    before = opencv.getNumThreads()
    opencv.setNumThreads(1)
    try:
        yield
    finally:
        opencv.setNumThreads(before)
