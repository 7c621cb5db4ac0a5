"""Work that a second thread does ahead of its results, or after its calls."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, ParamSpec, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")

WAITING = 2
"""Items that are made ahead, or calls that wait. More would take memory and save no time."""


def iterate_ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Yield `items` in their order. Another thread makes the next ones while the caller uses one.

    Close it where it is not used to its end: only then does the other thread surely rest.
    """
    end: Any = object()
    with ThreadPoolExecutor(1) as executor:
        waiting = deque(executor.submit(next, items, end) for _ in range(WAITING))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(executor.submit(next, items, end))
            yield item


def map_ahead(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[tuple[Item, Result], None, None]:
    """Yield each of `items` with what the function returns for it, in order.

    So many other threads call the function for the next items while the caller uses one. Close it where it is not used
    to its end.
    """
    with ThreadPoolExecutor(workers) as executor:
        waiting: deque[tuple[Item, Future[Result]]] = deque()
        for item in items:
            waiting.append((item, executor.submit(function, item)))
            if len(waiting) > workers:
                first, result = waiting.popleft()
                yield first, result.result()
        for first, result in waiting:
            yield first, result.result()


class CallsBehind(Generic[Parameters]):
    """Calls a function in another thread, in the order of the calls. The caller waits once WAITING calls do.

    Args:
        function: an error in it is raised by a later call, or by `finish`.
    """

    def __init__(self, function: Callable[Parameters, object]) -> None:
        self._function = function
        self._executor = ThreadPoolExecutor(1)
        self._waiting: deque[Future[object]] = deque()

    def __call__(self, *args: Parameters.args, **options: Parameters.kwargs) -> None:
        """Call the function, sooner or later."""
        while len(self._waiting) >= WAITING:
            self._waiting.popleft().result()
        self._waiting.append(self._executor.submit(self._function, *args, **options))

    def finish(self) -> None:
        """Wait until all calls have ended."""
        try:
            while self._waiting:
                self._waiting.popleft().result()
        finally:
            self._executor.shutdown()
