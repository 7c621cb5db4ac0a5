"""emotion.app.serve.uploads and token_bucket: images beyond the limits are refused, and the reason is named."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import httpx2
import pytest

from emotion.app.serve.api import make_app
from emotion.app.serve.token_bucket import TokenBucket
from emotion.app.serve.uploads import Limits
from tests.app.serve.serving import JPEG, gray, make_client, post
from tests.makers import encode


@pytest.fixture(scope="module")
def client(predictor):
    return make_client(predictor)


def test_refuses_a_file_that_is_too_large_by_its_length(predictor):
    client = make_client(predictor, limits=Limits(upload_bytes=2**20))
    answer = post(client, bytes(2**20 + 1))
    assert answer.status_code == 413
    assert "1 MiB" in answer.json()["detail"]
    assert "smaller" in answer.json()["detail"]
    assert post(client, bytes(2**20)).status_code == 422


def test_refuses_a_file_that_is_too_large_without_a_length(predictor):
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield bytes(100_000)

    async def send() -> httpx2.Response:
        transport = httpx2.ASGITransport(make_app(predictor, limits=Limits(upload_bytes=2**20)))  # keeps the chunks
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post("/api/predict", content=chunks(), headers=JPEG)

    answer = asyncio.run(send())
    assert "content-length" not in answer.request.headers
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/octet-stream", "multipart/form-data; boundary=x", None]
)
def test_takes_content_types_of_images_only(client, content_type):
    answer = post(client, encode(gray()), {"content-type": content_type} if content_type else {})
    assert answer.status_code == 415
    detail = answer.json()["detail"]
    assert f"got the content type {content_type or 'none'!r}, expected" in detail
    assert "image/jpeg" in detail


def test_refuses_too_many_in_a_short_time(predictor):
    client = make_client(predictor, limits=Limits(a_second=0.1, burst=2))
    data = encode(gray(48, 48))
    assert [post(client, data).status_code for _ in range(3)] == [200, 200, 429]
    answer = post(client, data)
    assert 9 <= int(answer.headers["retry-after"]) <= 10
    assert "0.1 images" in answer.json()["detail"]
    assert "Retry-After" in answer.json()["detail"]
    assert client.get("/api/model").status_code == 200


def test_rate_fills_up_again_and_is_counted_by_address():
    now = 0.0
    rate = TokenBucket(a_second=2, burst=1, clock=lambda: now)
    assert rate.wait("a") == 0
    assert rate.wait("a") == pytest.approx(0.5)
    assert rate.wait("b") == 0
    now = 0.5
    assert rate.wait("a") == 0
    now = 1000
    assert [rate.wait("a"), rate.wait("a") > 0] == [0, True]


def test_rate_remembers_only_so_many_addresses():
    rate = TokenBucket(a_second=1, burst=1, clock=lambda: 0.0)
    for client in range(3000):
        rate.wait(str(client))
    assert len(rate._buckets) <= 1024


def test_refuses_a_compressed_body_and_says_how_to_send_it(client):
    data = gzip.compress(encode(gray()))
    answer = post(client, data, JPEG | {"content-encoding": "gzip"})
    assert answer.status_code == 415
    assert "Content-Encoding 'gzip'" in answer.json()["detail"]
    assert "as they are" in answer.json()["detail"]


def test_takes_a_body_whose_encoding_is_identity(client):
    assert post(client, encode(gray()), JPEG | {"content-encoding": "identity"}).status_code == 200
