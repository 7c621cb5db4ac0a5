"""The reasons why a stream cannot be read, as far as they can be known."""

import socket

from emotion.inference.stream_address import host_and_port, public_name, scheme_of

PROBE_SECONDS = 3.0
"""Seconds that a host has to take a connection."""

STATUSES = {
    "HTTPUnauthorizedError": "refuses the user and the password, or wants them: {scheme}://USER:PASSWORD@HOST/PATH",
    "HTTPForbiddenError": "does not allow this user to read the stream",
    "HTTPNotFoundError": "has no stream at this path; look the path up in the manual of the camera or server",
    "HTTPServerError": "reports an error of its own; restart it or try again later",
}
"""Sentences by the name of PyAV's error."""


def explain_failure(url: str, error: BaseException) -> str:
    """Return why a stream could not be opened, without secrets.

    Args:
        url: its address.
        error: what was raised. FFmpeg's error is its context, where PyAV reads the stream.
    """
    name, (host, port) = public_name(url), host_and_port(url)
    status = STATUSES.get(type(error.__context__).__name__)
    if status is not None:
        return f"{name} {status.format(scheme=scheme_of(url))}"
    try:
        socket.create_connection((host, port), PROBE_SECONDS).close()
    except socket.gaierror:
        return f"{name} cannot be reached: its host name is not known; check it, and the network"
    except ConnectionRefusedError:
        return f"{name} cannot be reached: nothing answers at port {port}; check the port, and that it is switched on"
    except OSError:
        return f"{name} cannot be reached: no answer from port {port}; check the address, and the network"
    return (
        f"{name} answers, but sent no video that can be read; check the path of the stream, the user and the password. "
        "A file whose index is at its end has to be downloaded first"
    )
