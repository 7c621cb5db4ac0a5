"""Any bytes on a connection are answered or refused, and the server goes on."""

import contextlib
import socket

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.app.serve.api import make_app
from emotion.app.serve.uploads import Limits
from tests.app.serve.serving import gray, running_server
from tests.fuzzing import damaged
from tests.makers import encode

pytestmark = [pytest.mark.medium, pytest.mark.fuzz]

BODY = encode(gray(20, 20))

WHOLE = (
    b"POST /api/track?session=abcdefgh&seconds=1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY

STARTS = [b"", BODY[:40], b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8L", b"II*\0"]
"""Starts of files of images."""

PARTS = st.sampled_from(
    [
        *(b"GET ", b"POST ", b"OPTIONS ", b"/", b"/api/predict", b"/static/", b"../", b"%2e%2e", b"%00", b"?session="),
        *(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b" HTTP/2\r\n", b"\r\n", b"\r\n\r\n", b"\n", b"Host: localhost\r\n"),
        *(b"Host: \r\n", b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n"),
        *(b"Content-Type: image/png\r\n", b"Expect: 100-continue\r\n", b"Upgrade: websocket\r\n", b"5\r\nabcde\r\n"),
        *(b"0\r\n\r\n", b"FFFFFFFFFFFFFFFF\r\n", b"Range: bytes=0-9,1-2\r\n", BODY, b"\x16\x03\x01", b"\x00" * 99),
    ]
)


@pytest.fixture(scope="module")
def running(predictor):
    limits = Limits(body_seconds=0.3, a_second=1e6, burst=10**6, upload_bytes=2**20)
    with running_server(make_app(predictor, limits=limits)) as address:
        yield address


@given(damaged([WHOLE]) | st.lists(PARTS, max_size=12).map(b"".join) | st.binary(max_size=300))
def test_any_bytes_are_answered_or_refused(running, data):
    answer = b""
    with socket.create_connection(running, timeout=10) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while chunk := connection.recv(2**16):
            answer += chunk
    assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
    assert not answer.startswith(b"HTTP/1.1 500")
    assert httpx2.get(f"http://127.0.0.1:{running[1]}/api/model").status_code == 200


@given(
    st.binary(max_size=400),
    st.sampled_from(STARTS),
)
def test_any_body_is_an_image_or_refused(running, data, start):
    answer = httpx2.post(
        f"http://127.0.0.1:{running[1]}/api/predict", content=start + data, headers={"content-type": "image/png"}
    )
    assert answer.status_code in (200, 422)
