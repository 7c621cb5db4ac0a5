"""Whether this code does a piece of another machine's work.

A worker of a cluster may lack files that the machine with the command has. Alone, a file that cannot be read is a fault
of the file. On a worker it may be one of the worker, so it must not become a result.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from emotion.core.errors import InputError

_active: ContextVar[bool] = ContextVar("on_worker", default=False)


class UnreadableOnWorkerError(InputError):
    """A worker cannot read a file that the work names.

    Args:
        path: the file.
        reason: why it cannot be read, such as `No such file or directory`.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"{self.path} cannot be read there ({self.reason}), and this machine can read it; workers need the same "
            "files under the same paths, for example in a folder that all machines mount, and may read the same stores"
        )


def is_on_worker() -> bool:
    """Return whether this thread does a piece of another machine's work."""
    return _active.get()


@contextmanager
def as_worker() -> Iterator[None]:
    """Have `is_on_worker` return True during the block."""
    token = _active.set(True)
    try:
        yield
    finally:
        _active.reset(token)
