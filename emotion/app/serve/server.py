"""The web server: its socket, the messages about its address, and its end by Ctrl-C."""

import asyncio
import contextlib
import errno
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from emotion.app.serve.connections import LimitedConnection, be_quiet_without_files
from emotion.app.serve.host_check import WILDCARDS, is_loopback
from emotion.core.errors import InputError

LOG_LEVEL = "error"
"""The log level of uvicorn: errors of ours, but neither requests nor their faults."""

SECONDS_TO_END = 1
"""Seconds that unfinished answers have after Ctrl-C."""

BACKLOG = 64
"""The number of connections that wait to be accepted, and that asyncio accepts in one turn."""

LISTEN_ERRORS = {
    errno.EADDRINUSE: "port {port} is in use; choose another one with --port, or any free one with --port 0",
    errno.EACCES: "port {port} needs the rights of an administrator; choose one above 1023 with --port",
    errno.EADDRNOTAVAIL: "--host: got {host}, expected an address of this machine; leave --host out to use 127.0.0.1",
}
"""Why the server cannot listen, by the number of the system's error."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port`; 0 is any port that is free.

    Raises:
        InputError: there is no such address, or the port is taken or not allowed.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family)
    except (socket.gaierror, UnicodeError):
        raise InputError(f"--host: got {host!r}, which is not found, expected an address such as 127.0.0.1") from None
    except OSError as error:
        problem = LISTEN_ERRORS.get(
            error.errno or 0,
            "the server cannot use {host}, port {port} ({error}); choose others with --host and --port",
        )
        raise InputError(problem.format(host=host, port=port, error=error.strerror)) from None


def serve(app: ASGIApp, listener: socket.socket, *, open_page: bool = False) -> None:
    """Serve `app` on `listener` until Ctrl-C. Once it answers, print its address and open the page there if wanted."""

    def announce() -> None:
        url = page_url(listener)
        print(f"The page is at {url} (Ctrl-C ends it)", flush=True)
        warn_of_network(listener)
        if open_page:
            # With some browsers this call returns only when they are closed.
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    with contextlib.suppress(KeyboardInterrupt):
        AnnouncingServer(configure(app), announce).run(sockets=[listener])
    print("\nended")


class AnnouncingServer(uvicorn.Server):
    """Calls `announce` once it answers requests, and ends well on Ctrl-C."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then announce."""
        asyncio.get_running_loop().set_exception_handler(be_quiet_without_files)
        await super().startup(sockets)
        self._announce()


def configure(app: ASGIApp) -> uvicorn.Config:
    """Return how uvicorn runs `app`: plain HTTP/1.1, with no log of requests, and with no trust in proxies' headers."""
    return uvicorn.Config(
        app,
        http=LimitedConnection,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_level=LOG_LEVEL,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=SECONDS_TO_END,
    )


def page_url(listener: socket.socket) -> str:
    """Return the page's address as this machine's browser takes it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def warn_of_network(listener: socket.socket) -> None:
    """Warn where others than this machine reach the page."""
    host, port = listener.getsockname()[:2]
    if is_loopback(host):
        return
    where = "every address of this machine" if host in WILDCARDS else host
    print(
        f"warning: everyone who reaches {where} at port {port} can use this page. Images are sent unencrypted. "
        "Browsers allow the camera only at localhost or over HTTPS",
        file=sys.stderr,
    )
