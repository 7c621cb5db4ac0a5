"""Stores on this machine, for tests: fsspec's own in memory, S3 by moto's server, and a server that is slow."""

import contextlib
import logging
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

SECRET = "verysecretkey"

S3_KEYS = {
    "AWS_ACCESS_KEY_ID": "thekeyid",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class S3:
    """A server of S3 with the empty bucket `faces`.

    Attributes:
        variables: the environment that leads to it.
        client: of boto3.
        requests: the number of requests by method since `requests` was cleared.
    """

    def __init__(self, address: str) -> None:
        self.variables = {**S3_KEYS, "AWS_ENDPOINT_URL": address}
        self.client: Any = boto3.client(
            "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        self.requests: Counter[str] = Counter()
        self.client.create_bucket(Bucket="faces")

    def put(self, folder: str, files: Mapping[str, bytes]) -> str:
        """Write files below a folder of the bucket; return the folder's address."""
        for name, content in files.items():
            self.client.put_object(Bucket="faces", Key=f"{folder}/{name}", Body=content)
        return f"s3://faces/{folder}"

    def get(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket="faces", Key=key)["Body"].read()
        return content

    def list(self, folder: str) -> list[str]:
        found = self.client.list_objects_v2(Bucket="faces", Prefix=f"{folder}/").get("Contents", [])
        return [item["Key"].removeprefix(f"{folder}/") for item in found]


@contextlib.contextmanager
def serve_s3() -> Iterator[S3]:
    """Run a server of S3 on 127.0.0.1."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    counter = _Counter()
    log = logging.getLogger("werkzeug")
    log.addHandler(counter)
    log.setLevel(logging.INFO)
    try:
        store = S3("http://{}:{}".format(*server.get_host_and_port()))
        store.requests = counter.requests
        yield store
    finally:
        log.removeHandler(counter)
        server.stop()


class _Counter(logging.Handler):
    """Counts the requests that the server notes in its log."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        method = re.search(r'"(\S*?)([A-Z]+) /', record.getMessage())
        if method:
            self.requests[method[2]] += 1


class SlowServer:
    """A server that gives the same bytes under every name, after a while.

    Attributes:
        requests: the number of requests by method.
        at_once: the most requests that it worked on at the same time.
    """

    def __init__(self, seconds: float) -> None:
        self.requests: Counter[str] = Counter()
        self.at_once = 0
        now, lock = Counter[str](), Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(handler) -> None:
                with lock:
                    now["requests"] += 1
                    self.requests[handler.command] += 1
                    self.at_once = max(self.at_once, now["requests"])
                time.sleep(seconds)
                with lock:
                    now["requests"] -= 1
                handler.send_response(200)
                handler.send_header("Content-Length", "4")
                handler.send_header("ETag", '"1"')
                handler.end_headers()
                if handler.command == "GET":
                    handler.wfile.write(b"face")

            do_HEAD = do_GET

            def log_message(handler, *arguments: object) -> None:
                """Print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = "http://{}:{}".format(*self._server.server_address[:2])

    def __enter__(self) -> "SlowServer":
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
