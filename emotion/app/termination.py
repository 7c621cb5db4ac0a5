"""The end of a command from outside, such as by `kill` or a service manager."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def interrupted_by_termination() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C in the block, so that files are completed then too."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
