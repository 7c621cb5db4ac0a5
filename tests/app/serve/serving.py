"""What the tests of `emotion serve` share: clients without a network, and servers on a port."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import numpy as np
import uvicorn
from fastapi.testclient import TestClient

from emotion.app.serve import server
from emotion.app.serve.api import make_app
from emotion.inference.predictor import Face, Predictor

JPEG = {"content-type": "image/jpeg"}


def make_client(predictor, **options) -> TestClient:
    return TestClient(make_app(predictor, **options), base_url="http://localhost", raise_server_exceptions=False)


def post(client: TestClient, data: Any, headers: dict[str, str] | None = None) -> httpx2.Response:
    return client.post("/api/predict", content=data, headers=JPEG if headers is None else headers)


class Stub:
    """In the place of a predictor: waits for `release` with each image, or raises `error`."""

    def __init__(self, predictor: Predictor, error: Exception | None = None) -> None:
        self.metadata, self.emotions, self.path = predictor.metadata, predictor.emotions, predictor.path
        self.release = threading.Event()
        self.reading = 0
        self.at_once = 0
        self._error = error

    def predict(self, image: np.ndarray) -> list[Face]:
        if self._error:
            raise self._error
        self.reading += 1
        self.at_once = max(self.at_once, self.reading)
        self.release.wait(10)
        self.reading -= 1
        return []


def gray(height: int = 60, width: int = 80) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width), dtype=np.uint8)


@contextmanager
def running_server(app: Any, port: int = 0) -> Iterator[tuple[str, int]]:
    with server.listen("127.0.0.1", port) as listener:
        running = uvicorn.Server(server.configure(app))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[:2]
        finally:
            running.should_exit = True
            thread.join(10)
