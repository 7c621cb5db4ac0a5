"""A limit on the rate of each client: one token bucket per address."""

import time
from collections import OrderedDict
from collections.abc import Callable

MAX_CLIENTS = 1024
"""Number of addresses whose bucket is remembered; the one that sent longest ago is forgotten first."""


class TokenBucket:
    """A bucket of tokens per client: each image takes one, and the bucket fills up again with time.

    Args:
        a_second: tokens added each second.
        burst: tokens that a bucket holds; it is full at first.
        clock: returns the time in seconds.
    """

    def __init__(self, a_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_second = a_second
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """Take a token and return 0 where `client` may send now; otherwise return the seconds until it may."""
        now = self._clock()
        content, filled = self._buckets.pop(client, (float(self._burst), now))
        content = min(self._burst, content + (now - filled) * self._a_second)
        allowed = content >= 1
        self._buckets[client] = (content - allowed, now)
        if len(self._buckets) > MAX_CLIENTS:
            self._buckets.popitem(last=False)
        return 0 if allowed else (1 - content) / self._a_second
