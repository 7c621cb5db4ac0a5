"""The check that a request is for this server: its Host header has to be a name of it."""

import ipaddress
import socket
from dataclasses import asdict, dataclass

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from emotion.app.serve.answers import ErrorAnswer

WILDCARDS = ("0.0.0.0", "::")
"""Addresses that stand for every one that the machine has."""


@dataclass(frozen=True)
class AllowedHosts:
    """For which hosts requests may be.

    A page elsewhere can have its own name lead to this machine, and would then count as one with the page here (DNS
    rebinding). Its requests still carry that name.

    Attributes:
        names: names and addresses, in small letters.
        any_address: whether every address will do, which no foreign page can have for a name.
    """

    names: frozenset[str]
    any_address: bool = False

    @classmethod
    def of(cls, host: str) -> "AllowedHosts":
        """Return those of a server that listens on `host`."""
        names = {"localhost", "127.0.0.1", "::1", host.lower()}
        if not is_loopback(host):
            own = socket.gethostname().lower()
            names |= {own, f"{own}.local"}
        return cls(frozenset(names), any_address=host in WILDCARDS)

    def allow(self, header: str) -> bool:
        """Return whether a request with this Host header may be answered; it may end in a port."""
        name = header.lower()
        name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0].removesuffix(".")
        return name in self.names or (self.any_address and _is_address(name))


def is_loopback(host: str) -> bool:
    """Return whether only this machine itself reaches `host`."""
    return host.lower() == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class HostCheck:
    """Around the application: refuses requests for other hosts."""

    def __init__(self, app: ASGIApp, hosts: AllowedHosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = Headers(scope=scope).get("host", "")
        app = self._app if self._hosts.allow(host) else _misdirected(host)
        await app(scope, receive, send)


def _misdirected(host: str) -> ASGIApp:
    return JSONResponse(
        asdict(
            ErrorAnswer(f"this server does not go by the name {host!r}; open it as localhost, or start it with --host")
        ),
        421,
    )
