"""The end of work that nobody waits for any more: a worker cannot be interrupted, so long work asks."""

from emotion.parallel.on_worker import is_on_worker


class CanceledError(Exception):
    """The command that wanted this work has ended."""


def raise_if_canceled() -> None:
    """Raise CanceledError on a worker of a cluster whose scheduler does not want this piece of work any more.

    It takes microseconds. On a machine that works alone it does nothing.
    """
    if is_on_worker() and is_canceled():
        raise CanceledError("the command that wanted this work has ended")


def is_canceled() -> bool:
    """Return whether nobody waits for the task of Dask in this thread any more."""
    from distributed import get_worker

    worker = get_worker()
    task = worker.state.tasks.get(worker.get_current_task())
    return task is None or task.state == "cancelled"
