"""emotion.app.serve.service: the API's answers, limits and refusals, and how the server starts and ends."""

import asyncio
import errno
import io
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from emotion.app.predict.output import Json
from emotion.app.predict.reading import Reading
from emotion.app.serve import server
from emotion.app.serve.command import MAX_PORT, _port
from emotion.app.serve.service import PAGE, AllowedHosts, Limits, TokenBucket, find_figures, make_app
from emotion.core.errors import InputError
from emotion.data import images
from emotion.inference.annotation import emotion_color
from emotion.inference.predictor import Face, Predictor
from tests.makers import encode

ROOT = Path(__file__).resolve().parents[3]
JPEG = {"content-type": "image/jpeg"}
COMMAND = [sys.executable, "-c", "from emotion.app.cli import main; main()", "serve"]


@pytest.fixture(scope="module")
def client(predictor):
    return make_client(predictor)


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

    def read(self, image: np.ndarray) -> list[Face]:
        if self._error:
            raise self._error
        self.reading += 1
        self.at_once = max(self.at_once, self.reading)
        self.release.wait(10)
        self.reading -= 1
        return []


def gray(height: int = 60, width: int = 80) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width), dtype=np.uint8)


# Answers


def test_answers_what_predict_says(client, predictor, astronaut):
    data = encode(astronaut)
    answer = post(client, data, {"content-type": "image/png"}).json()
    faces = predictor.predict(images.decode(data))
    [line] = Json(predictor.emotions).lines(Reading(Path("astronaut.png"), "ok", faces))
    expected = json.loads(line)["faces"]
    assert len(expected) >= 1
    assert answer == {
        "width": 512,
        "height": 512,
        "faces": [{key: value for key, value in face.items() if key != "face"} for face in expected],
    }


def test_small_images_are_one_face_each(client, predictor):
    face = gray(48, 48)
    [answer] = post(client, encode(face), {"content-type": "image/png"}).json()["faces"]
    assert answer["box"] == {"x": 0, "y": 0, "width": 48, "height": 48}
    probabilities = predictor.probabilities(face[None, :, :, None])[0]
    assert list(answer["probabilities"].values()) == pytest.approx(probabilities, abs=1e-5)
    assert answer["confidence"] == max(answer["probabilities"].values())


def test_no_face_is_an_empty_list(client):
    answer = post(client, encode(np.zeros((200, 300), np.uint8)))
    assert answer.status_code == 200
    assert answer.json() == {"width": 300, "height": 200, "faces": []}


def test_says_what_the_model_is(client, predictor):
    answer = client.get("/api/model").json()
    assert [emotion["name"] for emotion in answer["emotions"]] == list(predictor.emotions)
    colors = {emotion["name"]: emotion["color"] for emotion in answer["emotions"]}
    assert tuple(bytes.fromhex(colors["happy"][1:])) == emotion_color("happy")
    assert (answer["size"], answer["color"], answer["faces"], answer["detector"]) == (
        48,
        "grayscale",
        "auto",
        "cascade",
    )
    assert answer["figures"] is None
    assert answer["limits"]["upload_bytes"] == Limits().upload_bytes
    assert str(predictor.path.parent) not in client.get("/api/model").text


@pytest.mark.parametrize("faces, detector", [("whole", None), ("mtcnn", "mtcnn"), ("cascade", "cascade")])
def test_says_how_faces_are_looked_for(predictor, faces, detector):
    answer = make_client(predictor, detector=faces, smallest=70).get("/api/model").json()
    assert (answer["faces"], answer["detector"], answer["smallest"]) == (faces, detector, 70)


def test_figures_stand_beside_a_released_model(tmp_path):
    assert find_figures(tmp_path / "model.tflite") is None
    (tmp_path / "evaluate.json").write_text('{"test": {"images": 10, "accuracy": 0.7}}', encoding="utf-8")
    assert find_figures(tmp_path / "model.tflite") is None
    test = {"test": {"images": 10, "accuracy": 0.7, "macro_f1": 0.6, "log_loss": 1.0}}
    (tmp_path / "evaluate.json").write_text(json.dumps(test), encoding="utf-8")
    figures = find_figures(tmp_path / "model.tflite")
    assert figures is not None
    assert (figures.images, figures.accuracy, figures.macro_f1) == (10, 0.7, 0.6)


def test_describes_itself_with_nothing_from_elsewhere(client):
    description = client.get("/openapi.json").json()
    assert set(description["paths"]) == {"/api/model", "/api/predict"}
    predict = description["paths"]["/api/predict"]["post"]
    assert predict["requestBody"]["content"]["image/*"]["schema"]["format"] == "binary"
    assert {"200", "408", "413", "415", "422", "429", "503"} <= set(predict["responses"])
    assert client.get("/docs").status_code == client.get("/redoc").status_code == 404


# Images of every kind


def pillow_bytes(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return pillow_bytes(Image.fromarray(gray()), "JPEG", exif=exif)


def animation() -> bytes:
    frames = [Image.fromarray(gray()), Image.fromarray(255 - gray())]
    return pillow_bytes(frames[0], "GIF", save_all=True, append_images=frames[1:])


ODD_IMAGES = {
    "16 bits": lambda: pillow_bytes(Image.fromarray(gray().astype(np.uint16) * 257), "PNG"),
    "palette": lambda: pillow_bytes(Image.fromarray(gray()).convert("P"), "PNG"),
    "CMYK": lambda: pillow_bytes(Image.fromarray(gray()).convert("CMYK"), "JPEG"),
    "gray with alpha": lambda: pillow_bytes(Image.fromarray(gray()).convert("LA"), "PNG"),
    "animated": animation,
    "one pixel": lambda: encode(np.zeros((1, 1), np.uint8)),
    "WebP": lambda: pillow_bytes(Image.fromarray(gray()), "WEBP"),
}


@pytest.mark.parametrize("name", ODD_IMAGES)
def test_reads_images_of_every_kind(client, predictor, name):
    data = ODD_IMAGES[name]()
    answer = post(client, data)
    assert answer.status_code == 200
    assert len(answer.json()["faces"]) == len(predictor.predict(images.decode(data)))


def test_boxes_are_in_the_image_as_people_see_it(client):
    answer = post(client, rotated()).json()
    assert (answer["width"], answer["height"]) == (60, 80)


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "the file is empty"),
        (b"Dear reader, this is a letter.", "no image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no image"),
        (encode(gray(), ".jpg")[:500], "cut off"),
        (b"\xff\xd8\xff" + bytes(50), "broken"),
    ],
)
def test_says_why_it_cannot_read_what_is_no_image(client, data, reason):
    answer = post(client, data)
    assert answer.status_code == 422
    assert reason in answer.json()["detail"]


def test_refuses_more_pixels_than_it_can_hold(client):
    header = encode(np.zeros((2, 2), np.uint8))
    bomb = header[:16] + (60_000).to_bytes(4, "big") * 2 + header[24:]
    answer = post(client, bomb, {"content-type": "image/png"})
    assert answer.status_code == 422
    assert "60000x60000 pixels are more than" in answer.json()["detail"]


# Limits


def test_refuses_a_file_that_is_too_large_by_its_length(predictor):
    client = make_client(predictor, limits=Limits(upload_bytes=2**20))
    answer = post(client, bytes(2**20 + 1))
    assert answer.status_code == 413
    assert answer.json()["detail"] == "the file is larger than 1 MiB; send a smaller image"
    assert post(client, bytes(2**20)).status_code == 422


def test_refuses_a_file_that_is_too_large_without_a_length(predictor):
    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield bytes(100_000)

    answer = post(make_client(predictor, limits=Limits(upload_bytes=2**20)), chunks())
    assert "content-length" not in answer.request.headers
    assert answer.status_code == 413


@pytest.mark.parametrize("given", ["text/plain", "application/octet-stream", "multipart/form-data; boundary=x", None])
def test_takes_content_types_of_images_only(client, given):
    answer = post(client, encode(gray()), {"content-type": given} if given else {})
    assert answer.status_code == 415
    assert "expected one of an image" in answer.json()["detail"]


def test_refuses_too_many_in_a_short_time(predictor):
    client = make_client(predictor, limits=Limits(a_second=0.1, burst=2))
    data = encode(gray(48, 48))
    assert [post(client, data).status_code for _ in range(3)] == [200, 200, 429]
    answer = post(client, data)
    assert 9 <= int(answer.headers["retry-after"]) <= 10
    assert "images a second" in answer.json()["detail"]
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


def test_reads_one_at_a_time_refuses_what_does_not_fit_and_stays_awake(predictor):
    stub = Stub(predictor)
    app = make_app(stub, limits=Limits(at_a_time=3))  # type: ignore[arg-type]
    data = encode(gray(48, 48))

    async def scene() -> tuple[list[httpx2.Response], httpx2.Response]:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost") as client:
            requests = [asyncio.create_task(client.post("/api/predict", content=data, headers=JPEG)) for _ in range(5)]
            while sum(request.done() for request in requests) < 2:
                await asyncio.sleep(0.01)
            meanwhile = await client.get("/api/model")
            stub.release.set()
            return await asyncio.gather(*requests), meanwhile

    answers, meanwhile = asyncio.run(asyncio.wait_for(scene(), 20))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 503, 503]
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert refused.headers["retry-after"] == "1"
    assert "images are being read already" in refused.json()["detail"]
    assert meanwhile.status_code == 200
    assert stub.at_once == 1
    assert post(TestClient(app, base_url="http://localhost"), data).status_code == 200


def test_a_failure_is_answered_and_frees_its_place(predictor):
    client = make_client(Stub(predictor, RuntimeError("out of luck")), limits=Limits(at_a_time=1))
    for _ in range(3):
        answer = post(client, encode(gray(48, 48)))
        assert answer.status_code == 500
        assert "its terminal says why" in answer.json()["detail"]
        assert "luck" not in answer.text


# What is answered to whom


@pytest.mark.parametrize(
    "method, path, status, allow",
    [
        ("GET", "/api/predict", 405, "POST"),
        ("PUT", "/api/predict", 405, "POST"),
        ("OPTIONS", "/api/predict", 405, "POST"),
        ("POST", "/api/model", 405, "GET"),
        ("POST", "/", 405, "GET, HEAD"),
        ("DELETE", "/static/app.js", 405, "GET, HEAD"),
        ("GET", "/api/nothing", 404, None),
    ],
)
def test_wrong_methods_and_addresses_are_answered_in_json(client, method, path, status, allow):
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert sorted((answer.headers.get("allow") or "").split(", ")) == sorted((allow or "").split(", "))


@pytest.mark.parametrize("path", ["/", "/api", "/api/model", "/static/app.js", "/nothing", "/openapi.json"])
def test_every_answer_says_what_browsers_may_do(client, path):
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=(self)" in headers["permissions-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == ("no-store" if path.startswith("/api/") else "no-cache")
    assert not [name for name in headers if name.startswith("access-control")]
    assert "server" not in headers


def test_no_page_elsewhere_is_let_in(client):
    preflight = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    answer = client.options("/api/predict", headers=preflight)
    assert not answer.is_success
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.2", "", "[::2]"]
)
def test_refuses_other_hosts(client, host):
    for method, path in (("GET", "/"), ("GET", "/api/model"), ("POST", "/api/predict")):
        answer = client.request(method, path, headers={"host": host})
        assert answer.status_code == 421
        assert "does not go by the name" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1:1", "[::1]", "[::1]:8000"])
def test_answers_as_localhost(client, host):
    assert client.get("/api/model", headers={"host": host}).status_code == 200


def test_on_a_network_answers_by_its_own_names_and_addresses():
    own = socket.gethostname()
    everywhere, one = AllowedHosts.of("0.0.0.0"), AllowedHosts.of("192.0.2.7")
    assert everywhere.allow("192.0.2.7:8000")
    assert everywhere.allow("[fe80::1]:8000")
    assert everywhere.allow(own)
    assert not everywhere.allow("evil.example")
    assert one.allow("192.0.2.7")
    assert not one.allow("192.0.2.8")
    assert not AllowedHosts.of("127.0.0.1").allow("192.0.2.7")
    assert AllowedHosts.of("images.example").allow("Images.Example:80")


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
    assert b"there is nothing at this address" in answer


def test_links_out_of_the_page_are_not_followed(predictor, tmp_path):
    page = tmp_path / "page"
    shutil.copytree(PAGE, page)
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (page / "link.txt").symlink_to(tmp_path / "secret.txt")
    (page / "folder").symlink_to(tmp_path)
    client = make_client(predictor, page=page)
    assert client.get("/static/app.js").status_code == 200
    for path in ("/static/link.txt", "/static/folder/secret.txt"):
        assert client.get(path).status_code == 404


def test_page_comes_from_its_own_files(client):
    """Nothing is named that lies elsewhere, and everything named is there."""
    for page in ("/", "/api"):
        text = client.get(page).text
        named = re.findall(r'(?:src|href)="([^"]*)"', text)
        assert len(named) > 4
        for path in named:
            assert path.startswith("/")
            assert client.get(path).status_code == 200
    for path in sorted(PAGE.iterdir()):
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://(?!127\.0\.0\.1)|url\(|@import|//cdn", text), path


def test_sends_nothing_to_a_collector_of_traces(monkeypatch, caplog, predictor):
    """FastAPI would, where the environment names one; here it complains that it lacks the package for it."""
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    with TestClient(make_app(predictor), base_url="http://localhost") as client:
        assert client.get("/api/model").status_code == 200
    assert "telemetry" not in caplog.text
    with TestClient(FastAPI()):
        assert "telemetry" in caplog.text


# A server on a port


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
    assert b"did not arrive within 0.5 seconds" in answer


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


def test_a_taken_port_is_named():
    with server.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(InputError, match=rf"port {port} is taken; .*--port 0"):
            server.listen("127.0.0.1", port)


@pytest.mark.parametrize(
    "host, problem", [("192.0.2.1", "is no address of this machine"), ("a..b", "--host: 'a..b' cannot be found")]
)
def test_addresses_that_cannot_be_had_are_named(host, problem):
    with pytest.raises(InputError, match=problem):
        server.listen(host, 0)


def test_ports_that_are_not_allowed_are_named(monkeypatch):
    def refuse(*arguments: Any, **options: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(InputError, match="port 80 may not be used by you"):
        server.listen("127.0.0.1", 80)


def test_says_so_where_the_network_reaches_the_page(capsys):
    with server.listen("127.0.0.1", 0) as listener:
        server.warn_of_network(listener)
        assert server.page_url(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert capsys.readouterr().err == ""
    with server.listen("0.0.0.0", 0) as listener:
        server.warn_of_network(listener)
        assert server.page_url(listener).startswith("http://127.0.0.1:")
    assert "warning: everyone who reaches every address of this machine" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["-1", str(MAX_PORT + 1), "http", "", "8e3", "٨"])
def test_ports_that_are_none_are_refused(text):
    with pytest.raises(Exception, match="expected a port"):
        _port(text)


@contextmanager
def command(model: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `emotion serve` and give it with the page's address."""
    process = subprocess.Popen(
        [*COMMAND, "--model", str(model), "--port", "0", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found, process.stderr and process.stderr.read()
        yield process, found[0]
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


def test_command_says_what_is_wrong_before_it_loads_the_model(tmp_path):
    with server.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        arguments = [*COMMAND, "--model", str(tmp_path / "none.onnx"), "--port", str(port)]
        done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: port {port} is taken")


def test_runs_where_only_the_small_runtime_is_installed(model):
    """No TensorFlow, pandas or scikit-learn is loaded on the way to an answer."""
    code = (
        "import sys\n"
        "import numpy as np\n"
        "import emotion.app.serve.server\n"
        "from emotion.app.serve.service import make_app\n"
        "from emotion.inference.predictor import Predictor\n"
        f"predictor = Predictor({str(model)!r})\n"
        "make_app(predictor)\n"
        "predictor.predict(np.zeros((48, 48, 1), np.uint8))\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"tensorflow", "keras", "pandas", "scipy", "sklearn", "matplotlib", "ruamel", "dvc"} & set(
        loaded.split()
    )
