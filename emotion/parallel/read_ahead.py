"""Reading beside the work on what was read."""

from collections.abc import Generator, Iterator
from queue import Full, Queue
from threading import Event, Thread

DEPTH = 8
"""Blocks that wait at most, so that memory stays small."""


def read_ahead(blocks: Iterator[bytes]) -> Generator[bytes, None, None]:
    """Give `blocks` as they are, while a thread already fetches the next ones.

    An exception of `blocks` is raised here. The thread ends when this iterator is closed.
    """
    queue: Queue[bytes | BaseException | None] = Queue(DEPTH)
    stopped = Event()
    thread = Thread(target=_fetch, args=(blocks, queue, stopped), daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        thread.join()


def _fetch(blocks: Iterator[bytes], queue: "Queue[bytes | BaseException | None]", stopped: Event) -> None:
    try:
        for block in blocks:
            if not _put(queue, block, stopped):
                return
        _put(queue, None, stopped)
    # Whatever goes wrong belongs to the thread that asked for the blocks.
    except BaseException as error:
        _put(queue, error, stopped)


def _put(queue: "Queue[bytes | BaseException | None]", item: bytes | BaseException | None, stopped: Event) -> bool:
    """Put `item` once there is room; return False where nobody wants it any more."""
    while not stopped.is_set():
        try:
            queue.put(item, timeout=0.1)
        except Full:
            continue
        return True
    return False
