"""emotion.app.serve.api: the answers of the API and the page, and what is answered to whom."""

import asyncio
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from emotion.app.predict.csv_and_json import Json
from emotion.app.predict.results import ImageResult
from emotion.app.serve.answers import find_figures
from emotion.app.serve.api import PAGE, make_app
from emotion.app.serve.uploads import Limits
from emotion.data import images
from emotion.inference.annotation import emotion_color
from tests.app.serve.serving import JPEG, Stub, gray, make_client, post
from tests.makers import encode

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def client(predictor):
    return make_client(predictor)


# Answers


def test_answers_what_predict_says(client, predictor, astronaut):
    data = encode(astronaut)
    answer = post(client, data, {"content-type": "image/png"}).json()
    faces = predictor.predict(images.decode(data))
    [line] = Json(predictor.emotions).lines(ImageResult(Path("astronaut.png"), "ok", faces))
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
    assert (answer["size"], answer["color"], answer["detector"], answer["detector_in_use"]) == (
        48,
        "grayscale",
        "auto",
        "yunet",
    )
    assert answer["figures"] is None
    assert answer["limits"]["upload_bytes"] == Limits().upload_bytes
    assert str(predictor.path.parent) not in client.get("/api/model").text


@pytest.mark.parametrize("detector, in_use", [("whole", None), ("yunet", "yunet"), ("cascade", "cascade")])
def test_names_the_detector(predictor, detector, in_use):
    answer = make_client(predictor, detector=detector, smallest=70).get("/api/model").json()
    assert (answer["detector"], answer["detector_in_use"], answer["smallest"]) == (detector, in_use, 70)


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
    assert set(description["paths"]) == {"/api/model", "/api/predict", "/api/track"}
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
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\0\0\0\x18ftypqt  " + bytes(50), "a video (MOV)"),
        (encode(gray(), ".jpg")[:500], "cut off"),
        (b"\xff\xd8\xff" + bytes(50), "cut off"),
    ],
)
def test_says_why_it_cannot_read_what_is_no_image(client, data, reason):
    answer = post(client, data)
    assert answer.status_code == 422
    assert reason in answer.json()["detail"]


def test_names_heic_where_its_reader_is_missing(client, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    answer = post(client, b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", {"content-type": "image/heic"})
    assert answer.status_code == 422
    assert all(fact in answer.json()["detail"] for fact in ("HEIC", "[heic]", "JPEG"))


def test_refuses_more_pixels_than_it_can_hold(client):
    header = encode(np.zeros((2, 2), np.uint8))
    bomb = header[:16] + (60_000).to_bytes(4, "big") * 2 + header[24:]
    answer = post(client, bomb, {"content-type": "image/png"})
    assert answer.status_code == 422
    assert "got 60000x60000 pixels" in answer.json()["detail"]


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
    assert "3 images" in refused.json()["detail"]
    assert "Retry-After" in refused.json()["detail"]
    assert meanwhile.status_code == 200
    assert stub.at_once == 1
    assert post(TestClient(app, base_url="http://localhost"), data).status_code == 200


def test_a_failure_is_answered_and_frees_its_place(predictor):
    client = make_client(Stub(predictor, RuntimeError("out of luck")), limits=Limits(at_a_time=1))
    for _ in range(3):
        answer = post(client, encode(gray(48, 48)))
        assert answer.status_code == 500
        assert "terminal" in answer.json()["detail"]
        assert "luck" not in answer.text


# Answers to browsers


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


@pytest.mark.medium
def test_runs_where_only_the_small_runtime_is_installed(model):
    """No TensorFlow, pandas or scikit-learn is loaded on the way to an answer."""
    code = (
        "import sys\n"
        "import numpy as np\n"
        "import emotion.app.serve.server\n"
        "from emotion.app.serve.api import make_app\n"
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


@pytest.mark.parametrize("path", ["/api/model", "/api", "/api/predict"])
def test_an_address_means_the_same_with_a_slash_at_its_end(client, path):
    method, data = ("POST", encode(gray())) if path == "/api/predict" else ("GET", None)
    plain, slashed = (
        client.request(method, address, content=data, headers=JPEG, follow_redirects=False)
        for address in (path, f"{path}/")
    )
    assert plain.status_code == slashed.status_code == 200
    assert plain.content == slashed.content


def test_an_unknown_address_with_a_slash_is_not_found(client):
    answer = client.get("/api/nothing/", follow_redirects=False)
    assert answer.status_code == 404
    assert "/api" in answer.json()["detail"]
