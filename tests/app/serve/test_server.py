"""emotion.app.serve.server and command: how the server listens, answers on a port, and ends."""

import contextlib
import errno
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import httpx2
import pytest

from emotion.app.serve import server
from emotion.app.serve.api import make_app
from emotion.app.serve.command import MAX_PORT, _port
from emotion.app.serve.uploads import Limits
from emotion.core.errors import InputError
from tests.app.serve.faulty_decoder import FOR_EVER
from tests.app.serve.serving import JPEG, gray, running_server
from tests.makers import encode

pytestmark = pytest.mark.medium

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-c", "from emotion.app.cli import main; main()", "serve"]

FAULTY = """
import emotion.app.serve.decoding
from tests.app.serve.faulty_decoder import answer_faults
emotion.app.serve.decoding.answer_images = answer_faults
"""
"""Code before that of COMMAND, with which one image takes for ever to decode."""


@pytest.fixture(scope="module")
def running(predictor):
    with running_server(make_app(predictor, limits=Limits(body_seconds=0.5, upload_bytes=2**20))) as address:
        yield address


def speak(address: tuple[str, int], *parts: bytes, end: bool = False) -> bytes:
    """Send `parts` and return all that comes back until the server closes."""
    with socket.create_connection(address, timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
        if end:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(2**16):
            answer += chunk
        return answer


HEAD = b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"


def test_does_not_wait_for_a_body_that_does_not_come(running):
    start = time.monotonic()
    answer = speak(running, HEAD + b"Content-Length: 100\r\n\r\nsome")
    assert time.monotonic() - start < 5
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"0.5 seconds" in answer


def test_does_not_wait_for_a_body_that_trickles(running):
    start = time.monotonic()
    with socket.create_connection(running, timeout=10) as connection:
        connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        connection.settimeout(0.1)
        answer = b""
        while not answer and time.monotonic() - start < 8:
            try:
                connection.sendall(b"x")
                answer = connection.recv(2**16)
            except TimeoutError:
                pass
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_breaks_off_harms_nothing(running, capfd):
    speak(running, HEAD + b"Content-Length: 100\r\n\r\nsome", end=True)
    assert httpx2.get(f"http://127.0.0.1:{running[1]}/api/model").status_code == 200
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: local",
        b"GET /api/model HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/model HTTP/1.1\r\nHost: localhost\r\n\r\nGET /",
        b"GET /api/model HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nhalf",
    ],
    ids=["nothing", "half a head", "nothing more", "half a second head", "an answer without the whole body"],
)
def test_connections_without_a_whole_request_end(running, sent, monkeypatch):
    monkeypatch.setattr("emotion.app.serve.connections.REQUEST_SECONDS", 0.5)
    started = time.monotonic()
    with socket.create_connection(running, timeout=10) as connection, contextlib.suppress(ConnectionResetError):
        connection.sendall(sent)
        while connection.recv(2**16):
            pass
    assert time.monotonic() - started < 4


def test_a_head_that_trickles_ends(running, monkeypatch):
    monkeypatch.setattr("emotion.app.serve.connections.REQUEST_SECONDS", 0.5)
    started = time.monotonic()
    with socket.create_connection(running, timeout=10) as connection, contextlib.suppress(OSError):
        connection.sendall(b"GET / HTTP/1.1\r\n")
        while time.monotonic() - started < 8:
            connection.sendall(b"x")
            time.sleep(0.1)
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("path", [b"/api/predict", b"/nothing"])
@pytest.mark.parametrize(("requests", "parts"), [(1, 300_000), (15, 20_000)])
def test_bodies_in_too_many_parts_end_and_others_are_answered(running, monkeypatch, path, requests, parts):
    monkeypatch.setattr("emotion.app.serve.connections.PARSING_SECONDS", 0.2)
    head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
    body = b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * parts + (b"0\r\n\r\n" if requests > 1 else b"")
    with socket.create_connection(running, timeout=10) as connection:
        answers = b""
        with contextlib.suppress(ConnectionError):
            connection.sendall((head + body) * requests)
            while part := connection.recv(2**16):
                answers += part
        assert answers.count(b"HTTP/1.1 ") <= 1 + requests // 2
        assert httpx2.get(f"http://127.0.0.1:{running[1]}/api/model").status_code == 200


def test_who_does_not_take_an_answer_is_left(predictor, monkeypatch, tmp_path):
    monkeypatch.setattr("emotion.app.serve.connections.ANSWER_SECONDS", 0.5)
    (tmp_path / "large").write_bytes(bytes(50 * 2**20))
    with running_server(make_app(predictor, page=tmp_path)) as address, socket.create_connection(address) as connection:
        connection.sendall(b"GET /static/large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(2)
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while chunk := connection.recv(2**20):
                received += len(chunk)
    assert 0 < received < 50 * 2**20


def test_idle_connections_above_the_limit_end_and_newcomers_are_answered(running, monkeypatch):
    monkeypatch.setattr("emotion.app.serve.connections.count_allowed", lambda: 5)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(running, timeout=10)) for _ in range(30)]
        assert httpx2.get(f"http://127.0.0.1:{running[1]}/api/model").status_code == 200
        with contextlib.suppress(ConnectionResetError):
            assert idle[0].recv(1) == b""
        idle[-1].sendall(b"GET /api/model HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert idle[-1].recv(15) == b"HTTP/1.1 200 OK"


def test_those_who_send_too_much_hear_why(running):
    """Whether it is named or not, they are answered, though they are still sending."""
    whole = bytes(2**21)
    assert speak(running, HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % 2**30).startswith(
        b"HTTP/1.1 413 "
    )
    url = f"http://127.0.0.1:{running[1]}/api/predict"
    assert httpx2.post(url, content=whole, headers=JPEG).status_code == 413
    assert httpx2.post(url, content=iter([whole]), headers=JPEG).status_code == 413


@pytest.mark.parametrize("length", [b"-5", b"many", b"1, 2"])
def test_lengths_that_are_none_are_refused(running, length):
    assert speak(running, HEAD + b"Content-Length: " + length + b"\r\n\r\n").startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "path",
    [
        "/../serve.py",
        "/static/../serve.py",
        "/static/%2e%2e/serve.py",
        "/static/..%2fserve.py",
        "/static/%2e%2e%2f%2e%2e%2f%2e%2e%2fparams.yaml",
        "/static/..%5cserve.py",
        "/static//etc/passwd",
        "/static/%2fetc/passwd",
        "/static/%00",
        "/static/" + 300 * "a",
        "/static/",
        "/static/.",
        "/serve.py",
    ],
)
def test_nothing_outside_the_page_is_served(running, path):
    """Sent as they are: clients tidy paths up before they send them."""
    answer = speak(running, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"at /api" in answer


def test_a_request_without_a_host_is_refused(running):
    assert speak(running, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 421 ")


def test_a_taken_port_is_named():
    with server.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(InputError, match=rf"{port}.*--port 0"):
            server.listen("127.0.0.1", port)


@pytest.mark.parametrize(
    "host, problem",
    [
        ("192.0.2.1", r"--host: got 192\.0\.2\.1, expected .*127\.0\.0\.1"),
        ("a..b", r"--host: got 'a\.\.b'.*127\.0\.0\.1"),
    ],
)
def test_addresses_that_cannot_be_had_are_named(host, problem):
    with pytest.raises(InputError, match=problem):
        server.listen(host, 0)


def test_ports_that_are_not_allowed_are_named(monkeypatch):
    def refuse(*arguments: Any, **options: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(InputError, match=r"port 80\b.*above 1023.*--port"):
        server.listen("127.0.0.1", 80)


def test_says_so_where_the_network_reaches_the_page(capsys):
    with server.listen("127.0.0.1", 0) as listener:
        server.warn_of_network(listener)
        assert server.page_url(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert capsys.readouterr().err == ""
    with server.listen("0.0.0.0", 0) as listener:
        server.warn_of_network(listener)
        assert server.page_url(listener).startswith("http://127.0.0.1:")
    assert re.match(r"warning: .*every address.*\bport \d+", capsys.readouterr().err)


@pytest.mark.parametrize("text", ["-1", str(MAX_PORT + 1), "http", "", "8e3", "٨"])
def test_ports_that_are_none_are_refused(text):
    with pytest.raises(Exception, match=f"got {text!r}, expected .*0 to {MAX_PORT}"):
        _port(text)


@contextlib.contextmanager
def command(model: Path, code: str = "", **options: Any) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `emotion serve` after `code`; yield its process and the page's address."""
    python, option, main, *arguments = COMMAND
    process = subprocess.Popen(
        [python, option, code + main, *arguments, "--model", str(model), "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    try:
        assert process.stdout
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address, process.stderr and process.stderr.read()
        yield process, address[0]
    finally:
        process.kill()
        process.communicate()


def test_command_serves_until_ctrl_c(model):
    with command(model) as (process, url):
        data = encode(gray(48, 48))
        answer = httpx2.post(f"{url}/api/predict", content=data, headers={"content-type": "image/png"}, timeout=30)
        assert len(answer.json()["faces"]) == 1
        assert "Drop an image" in httpx2.get(url).text
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert out.strip() == "ended"
    assert "Traceback" not in err
    assert "127.0.0.1" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_command_ends_within_two_seconds_whatever_runs(model, number):
    with command(model, code=FAULTY) as (process, url):
        address = httpx2.URL(url)
        with (
            socket.create_connection((address.host, address.port)) as busy,
            socket.create_connection((address.host, address.port)),
        ):
            busy.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(FOR_EVER) + FOR_EVER)
            data = encode(gray(48, 48))
            # Meanwhile, others are answered.
            assert httpx2.post(f"{url}/api/predict", content=data, headers=JPEG, timeout=30).status_code == 200
            started = time.monotonic()
            process.send_signal(number)
            process.wait(timeout=20)
            assert time.monotonic() - started < 2
            assert "Traceback" not in process.communicate()[1]


WAITS_FOR_EVER = """
import time
from emotion.inference.predictor import Predictor
Predictor.predict = lambda *_: time.sleep(60)
"""
"""Code before that of COMMAND, with which a prediction takes for ever."""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("sent", [b"", bytes(10)], ids=["a prediction", "half a body"])
def test_command_ends_within_two_seconds_during(model, sent):
    data = encode(gray(48, 48))
    with command(model, code=WAITS_FOR_EVER) as (process, url):
        address = httpx2.URL(url)
        with socket.create_connection((address.host, address.port)) as busy:
            busy.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(data) + (sent or data))
            time.sleep(2)
            started = time.monotonic()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
    assert time.monotonic() - started < 2
    assert (process.returncode, out.strip()) == (0, "ended")
    assert "Traceback" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_command_answers_with_few_files_to_open_and_stays_quiet(model):
    import resource

    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))

    with command(model, preexec_fn=limit_files) as (process, url):
        address = httpx2.URL(url)
        with contextlib.ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(socket.create_connection((address.host, address.port), timeout=10))
            time.sleep(1)
        data = encode(gray(48, 48))
        status = 0
        for _ in range(20):  # until the others have ended
            with contextlib.suppress(httpx2.TransportError):
                status = httpx2.post(f"{url}/api/predict", content=data, headers=JPEG, timeout=30).status_code
                break
            time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=20)[1]
    assert status == 200
    assert len(err) < 1000, err[:3000]


def test_command_says_what_is_wrong_before_it_loads_the_model(tmp_path):
    with server.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        arguments = [*COMMAND, "--model", str(tmp_path / "none.onnx"), "--port", str(port)]
        done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert re.match(rf"error: port {port}\b.*--port 0", done.stderr)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_browser_opens_the_page_where_that_is_wanted(wanted, predictor, monkeypatch, capsys):
    opened: Queue[str] = Queue()

    class Started(server.AnnouncingServer):
        def run(self, sockets=None):
            self._announce()

    monkeypatch.setattr(server, "AnnouncingServer", Started)
    monkeypatch.setattr("webbrowser.open", opened.put)
    with server.listen("127.0.0.1", 0) as listener:
        server.serve(make_app(predictor), listener, open_page=wanted)
        url = server.page_url(listener)
    assert url in capsys.readouterr().out
    if wanted:
        assert opened.get(timeout=5) == url
    else:
        assert opened.empty()
