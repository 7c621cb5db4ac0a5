"""The addresses of streams: which ones are taken, and names for them that hold no secret."""

import os
import re
from urllib.parse import urlsplit

from emotion.core.errors import InputError

DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
"""The schemes of addresses that are taken, and their ports where an address names none."""

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
"""The start of an address. Letters of Windows' drives are shorter."""

ADDRESS_WITH_SECRETS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://\S+")


def is_address(text: str) -> bool:
    """Return whether `text` is an address, such as rtsp://camera.local/1, and not the path of something that exists."""
    # Path.exists raises for an address that is longer than a file name may be.
    return SCHEME.match(text) is not None and not os.path.exists(text)  # noqa: PTH110


def check_address(url: str) -> None:
    """Refuse an address that is none of a stream.

    Raises:
        InputError: its scheme is none of DEFAULT_PORTS, or it has no host or a wrong port.
    """
    scheme = scheme_of(url)
    if scheme not in DEFAULT_PORTS:
        raise InputError(
            f"got an address that begins with {scheme}:, expected one of {', '.join(DEFAULT_PORTS)}, such as "
            "rtsp://USER:PASSWORD@192.168.1.20/stream1, or the path of a file that exists"
        )
    try:
        host, port = urlsplit(url).hostname, urlsplit(url).port
    except ValueError:
        host, port = None, 0
    if not host or port == 0 or re.search(r"\s", url):
        raise InputError(
            f"the {scheme} address has no host or a wrong port; expected {scheme}://HOST:PORT/PATH. Write special "
            "characters of a user or password as in URLs, such as %40 for @ and %2F for /"
        )


def scheme_of(url: str) -> str:
    """Return the scheme of an address in small letters."""
    return url.partition(":")[0].lower()


def public_name(url: str) -> str:
    """Return the scheme and host of an address, as messages, files and progress show it.

    All else can hold secrets: some cameras have the password in the path. Where an @ stands elsewhere than before the
    host, a part of a password may be mistaken for the host. Then only the scheme is named.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return f"{scheme_of(url)}://"
    if url.count("@") > 1 or (url.count("@") == 1 and "@" not in parts.netloc):
        return f"{scheme_of(url)}://"
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme_of(url)}://{shown}{f':{port}' if port else ''}"


def file_stem(url: str) -> str:
    """Return the start of a file name for a stream: its host, or `stream` where that cannot be told."""
    host = public_name(url).partition("://")[2]
    return re.sub(r"[^A-Za-z0-9.-]+", "-", host).strip("-") or "stream"


def host_and_port(url: str) -> tuple[str, int]:
    """Return the host and the port of an address that `check_address` takes."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or DEFAULT_PORTS[scheme_of(url)]


def hide_secrets(text: str) -> str:
    """Return a text with the public names of the addresses in it."""
    return ADDRESS_WITH_SECRETS.sub(lambda match: public_name(match[0]), text)
