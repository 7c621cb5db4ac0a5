"""The connections of the server: how long each may last without an answer, and how many there may be."""

import asyncio
import sys
import time
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if sys.platform != "win32":
    import resource

MOST_CONNECTIONS = 128

FILES_A_CONNECTION = 4
"""Every fourth file that the process may open may be a connection. The others are for decoders and the page."""

REQUEST_SECONDS = 10
"""Seconds in which the head of a request has to arrive, from the start of a connection or from the last answer on."""

ANSWER_SECONDS = 120
"""Seconds from the head of a request until its answer is sent. It may wait for its body and for other images."""

PARSING_SECONDS, PARSING_SHARE = 2, 0.25
"""Seconds of the processor that reading the requests of a connection may take, and the share of its time beyond them.

Bodies in a million chunks take more.
"""

NO_FILES = "out of system resource"
"""Part of the message of asyncio where it cannot accept a connection, since the process may open no more files."""


def count_allowed() -> int:
    """Return the number of connections that the server keeps at a time."""
    if sys.platform == "win32":
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // FILES_A_CONNECTION)


class LimitedConnection(H11Protocol):
    """A connection that the server ends where its client is slow.

    Where there are too many, the one ends that has waited longest for a request. It is the new one where all the others
    are being answered.
    """

    _deadline: asyncio.TimerHandle | None = None
    _waiting = True
    _parsing = 0.0
    _started = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for a request."""
        super().connection_made(transport)
        self._started = time.monotonic()
        self._allow(REQUEST_SECONDS)
        if len(self.connections) > count_allowed():
            waiting = [each for each in self.connections if isinstance(each, LimitedConnection) and each._waiting]
            min(waiting, key=LimitedConnection._end).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to wait."""
        super().connection_lost(exc)
        self._waiting = False
        self._allow(None)

    def handle_events(self) -> None:
        """Handle what came; where that is the head of a request, wait for its answer.

        The connection ends where it takes too much time.
        """
        cycle, started = self.cycle, time.thread_time()
        super().handle_events()
        self._parsing += time.thread_time() - started
        if self._parsing > PARSING_SECONDS + PARSING_SHARE * (time.monotonic() - self._started):
            self.transport.abort()
        if self.cycle is not cycle and not self.cycle.response_complete:
            self._waiting = False
            self._allow(ANSWER_SECONDS)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._waiting = True
        self._allow(REQUEST_SECONDS)
        super().on_response_complete()

    def _end(self) -> float:
        """Return when the connection ends if nothing comes."""
        return self._deadline.when() if self._deadline else 0.0

    def _allow(self, seconds: float | None) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self.transport.abort) if seconds else None


def be_quiet_without_files(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Handle an error of the event loop; say nothing where it can accept no more connections.

    The connections that are open then end in time, and the next ones are accepted.
    """
    if NO_FILES not in context["message"]:
        loop.default_exception_handler(context)
