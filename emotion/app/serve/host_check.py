"""The check that a request is for this server: its Host header has to be a name or an address of it.

Another site can point its name to this machine (DNS rebinding). Browsers would then treat its page and the page here as
one site. Its requests still carry its name.

Starlette's TrustedHostMiddleware compares the header with a list of names; it knows ports and IPv6 in brackets. What it
lacks is here:
- A server on every address of the machine answers to any literal address, which no list holds. No other site can have
  an address as its name.
- A refusal has the status 421 and says in JSON how to mend it. The middleware answers with plain text and 400.

Requests of other sites' pages to an allowed name are refused by `uploads`, which takes content types of images only.
"""

import ipaddress
import socket
from dataclasses import asdict

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion.app.serve.answers import ErrorAnswer

WILDCARDS = ("0.0.0.0", "::")
"""Addresses that stand for every one that the machine has."""


class HostCheck:
    """Around the application: refuses requests for other hosts.

    Args:
        app: the application.
        host: the address or name that the server listens on.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._hosts = allowed_hosts(host)
        self._any_address = host in WILDCARDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it with the status 421."""
        header = Headers(scope=scope).get("host", "") if "headers" in scope else ""
        allowed = await _is_trusted(scope, receive, self._hosts) or (self._any_address and _is_address(header))
        app = self._app if allowed else _refuse_host(header)
        await app(scope, receive, send)


def allowed_hosts(host: str) -> list[str]:
    """Return the hosts that requests to a server on `host` may name, IPv6 addresses in brackets.

    A name may also end in a dot, as fully qualified names do.
    """
    names = {"localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host}
    if not is_loopback(host):
        own = socket.gethostname()
        names |= {own, f"{own}.local"}
    return sorted(names | {f"{name}." for name in names})


def is_loopback(host: str) -> bool:
    """Return whether only this machine itself reaches `host`, a name or an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


async def _is_trusted(scope: Scope, receive: Receive, hosts: list[str]) -> bool:
    """Return whether TrustedHostMiddleware lets a request through; what it would answer otherwise is dropped."""
    passed = False

    async def note_passed(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal passed
        passed = True

    async def drop(message: Message) -> None:
        pass

    await TrustedHostMiddleware(note_passed, hosts, www_redirect=False)(scope, receive, drop)
    return passed


def _is_address(header: str) -> bool:
    """Return whether a Host header names an address; it may end in a port."""
    name = header[1:].partition("]")[0] if header.startswith("[") else header.partition(":")[0].removesuffix(".")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _refuse_host(header: str) -> ASGIApp:
    detail = f"got the host {header!r}, expected a name of this server; open it as localhost, or start it with --host"
    return JSONResponse(asdict(ErrorAnswer(detail)), 421)
