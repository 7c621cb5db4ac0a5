"""The images that clients send: each is received within the limits, or refused with the reason."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

from emotion.app.serve.token_bucket import TokenBucket


@dataclass(frozen=True)
class Limits:
    """The limits of one server.

    Attributes:
        upload_bytes: size of one image's file.
        at_a_time: number of images that may be on their way or waiting; one is processed at a time.
        a_second: number of images that an address may send each second in the long run.
        burst: number of images that an address may send at once.
        body_seconds: time within which an image has to arrive.
        decode_seconds: time within which an image has to be decoded.
        sessions: number of cameras whose faces are tracked at the same time.
        session_seconds: time without a frame after which a camera's session ends.
    """

    upload_bytes: int = 16 * 2**20
    at_a_time: int = 8
    a_second: float = 60
    burst: int = 120
    body_seconds: float = 15
    decode_seconds: float = 10
    sessions: int = 16
    session_seconds: float = 5


class Uploads:
    """Receives the images in the bodies of requests, within the limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rate = TokenBucket(limits.a_second, limits.burst)
        self._present = 0

    @asynccontextmanager
    async def receive(self, request: Request) -> AsyncIterator[bytes]:
        """Yield the bytes of the image in `request`; it counts as under way until the context ends.

        Raises:
            HTTPException: a limit is exceeded, the content type is no image type, or the body is compressed. The detail
                says which and why.
        """
        self._check_rate(request)
        _check_content_type(request)
        _check_encoding(request)
        self._check_length(request)
        with self._count_upload():
            yield await self._read_body(request)

    def _check_rate(self, request: Request) -> None:
        wait = self._rate.wait(request.client.host if request.client else "")
        if wait:
            raise HTTPException(
                429,
                f"got more than {self._limits.a_second:g} images in a second; wait for the seconds in Retry-After",
                {"Retry-After": str(math.ceil(wait))},
            )

    def _check_length(self, request: Request) -> None:
        # It is a number, since the server refuses requests with anything else.
        if int(request.headers.get("content-length", 0)) > self._limits.upload_bytes:
            raise self._too_large()

    def _too_large(self) -> HTTPException:
        return HTTPException(
            413, f"the file is larger than {self._limits.upload_bytes / 2**20:g} MiB; send a smaller image"
        )

    @contextmanager
    def _count_upload(self) -> Iterator[None]:
        """Count an image as under way; refuse it where too many are."""
        if self._present >= self._limits.at_a_time:
            raise HTTPException(
                503,
                f"{self._present} images are being read already; wait for the seconds in Retry-After",
                {"Retry-After": "1"},
            )
        self._present += 1
        try:
            yield
        finally:
            self._present -= 1

    async def _read_body(self, request: Request) -> bytes:
        """Return the body. Its bytes are counted as they come, since a body in chunks names no length."""
        data = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                async for chunk in request.stream():
                    data += chunk
                    if len(data) > self._limits.upload_bytes:
                        raise self._too_large()
        except TimeoutError:
            raise HTTPException(
                408,
                f"the image did not arrive within {self._limits.body_seconds:g} seconds; send a smaller one",
                {"Connection": "close"},
            ) from None
        except ClientDisconnect:
            raise HTTPException(400, "the image did not arrive completely; send it again") from None
        return bytes(data)


def _check_content_type(request: Request) -> None:
    # Another site's page cannot send this type without a preflight request, which the server never allows. So no
    # other site can use the API.
    content_type = request.headers.get("content-type", "")
    if not content_type.lower().startswith("image/"):
        raise HTTPException(
            415,
            f"got the content type {content_type or 'none'!r}, expected an image type such as image/jpeg, with the "
            "bytes of the file as the body",
        )


def _check_encoding(request: Request) -> None:
    # Image files are compressed already, and a small body that unpacks to a huge one would bypass the limit.
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise HTTPException(
            415,
            f"got the Content-Encoding {encoding!r}; send the image's bytes as they are, without Content-Encoding",
        )
