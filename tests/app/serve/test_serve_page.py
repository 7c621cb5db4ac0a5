"""The page of `emotion serve`, end to end in headless Chromium: what people do, and what they see then."""

import base64
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

from benchmarks.serve_screenshot import CHROMIUM, FLAGS
from emotion.app.serve.api import make_app
from emotion.app.serve.uploads import Limits
from emotion.core.errors import InputError
from emotion.data.images import decode
from emotion.inference.predictor import Predictor
from tests.app.serve.serving import running_server
from tests.makers import encode

pytestmark = pytest.mark.browser

playwright = pytest.importorskip("playwright.sync_api")
skimage_data = pytest.importorskip("skimage.data")

CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
MIRROR_ASIDE = """() => {
    const box = (selector) => document.querySelector(selector)?.getBoundingClientRect();
    const place = () => box(".face")?.left - box("#frame").left;
    const expected = box("#frame").right - box(".face")?.right;
    if (!(Math.abs(place() - expected) > 20)) return false;
    document.getElementById("mirror").click();
    return [expected, place()];
}"""
"""Clicks once the face is off the middle; returns where it should be then and where it is, within one frame."""
SHOWS_LABELS = """(labels) => {
    const tags = [...document.querySelectorAll(".face .tag")];
    return JSON.stringify(tags.map((tag) => tag.textContent)) === JSON.stringify(labels);
}"""
SECONDS = 60
"""How long a thing may take to show: far more than it does, on a machine that is busy."""

LIMITS = Limits(upload_bytes=2**20)


@dataclass
class Visit:
    """A page that is open, and what it did."""

    page: Any
    url: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        return str(self.page.text_content(f"#{name}")).strip()

    def wait(self, selector: str, text: str | re.Pattern[str] | None = None) -> Any:
        """Return the first element of `selector` that holds `text`, once it is visible."""
        located = self.page.locator(selector, has_text=text).first
        located.wait_for(timeout=1000 * SECONDS)
        return located

    def choose(self, *files: dict[str, Any]) -> None:
        self.page.set_input_files("#file", list(files))

    def give(self, event: str, name: str, data: bytes) -> None:
        """Let a file be dropped or pasted."""
        self.page.evaluate(
            """([event, name, data]) => {
                const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
                const transfer = new DataTransfer();
                if (name) transfer.items.add(new File([bytes], name, { type: "image/png" }));
                const options = { bubbles: true, cancelable: true };
                const made = event === "paste"
                    ? new ClipboardEvent(event, { ...options, clipboardData: transfer })
                    : new DragEvent(event, { ...options, dataTransfer: transfer });
                document.getElementById("board").dispatchEvent(made);
            }""",
            [event, name, base64.b64encode(data).decode()],
        )


@pytest.fixture(scope="module")
def url(predictor):
    with running_server(make_app(predictor, limits=LIMITS)) as (host, port):
        yield f"http://{host}:{port}"


@pytest.fixture(scope="module")
def browser(tmp_path_factory, astronaut):
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    video = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    # A file of JPEG images one after the other is a video to Chromium.
    video.write_bytes(b"".join(encode(np.roll(astronaut[:384], shift, axis=1), ".jpg") for shift in range(0, 40, 4)))
    with playwright.sync_playwright() as player:
        arguments = [*FLAGS, *CAMERA, f"--use-file-for-fake-video-capture={video}"]
        browser = player.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser) -> Iterator[Any]:
    """Open a page at an address. In the end nothing may have been requested elsewhere, and no error been logged."""
    visits: list[Visit] = []

    def open_at(url: str, width: int = 1280, height: int = 800, **options: Any) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        visit = Visit(context.new_page(), url)
        visits.append(visit)
        visit.page.on("request", lambda request: visit.requests.append(request.url))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on("console", lambda message: visit.complaints.append(f"{message.type}: {message.text}"))
        visit.page.goto(url)
        visit.wait("#bars tr")
        return visit

    yield open_at
    for visit in visits:
        visit.page.context.close()
        assert len(visit.requests) > 3
        assert [address for address in visit.requests if not address.startswith(visit.url)] == []
        # Answers that are no success stand in the console; the tests check what the page makes of them.
        assert [text for text in visit.complaints if "Failed to load resource" not in text] == []


def file_of(data: bytes, name: str = "image.png") -> dict[str, Any]:
    return {"name": name, "mimeType": "image/png" if name.endswith("png") else "text/plain", "buffer": data}


def best(predictor: Predictor, data: bytes) -> str:
    """Return the expected label of the largest face in an image file."""
    face = predictor.predict(decode(data))[0]
    return f"{face.emotion} {round(100 * face.confidence)} %"


def test_a_chosen_image_gets_its_label(open_page, url, predictor, astronaut):
    visit, data = open_page(url), encode(astronaut)
    assert visit.page.is_visible("text=Drop an image of a face")
    visit.choose(file_of(data))
    face = predictor.predict(decode(data))[0]
    assert visit.wait(".face[aria-pressed=true] .tag").text_content() == best(predictor, data)
    assert visit.text("emotion") == face.emotion
    rows = visit.page.locator("#bars tr").all_text_contents()
    assert [re.match(r"[a-z]+", row).group() for row in rows] == list(predictor.emotions)  # type: ignore[union-attr]
    shown = [int(re.search(r"(\d+) %", row).group(1)) for row in rows]  # type: ignore[union-attr]
    np.testing.assert_allclose(shown, 100 * face.probabilities, atol=0.51)
    box, frame = (visit.page.locator(name).first.bounding_box() for name in (".face[aria-pressed=true]", "#frame"))
    assert (box["x"] - frame["x"]) / frame["width"] == pytest.approx(face.box.x / 512, abs=0.01)
    assert box["width"] / frame["width"] == pytest.approx(face.box.width / 512, abs=0.01)
    assert visit.page.is_visible("text=An expression is not a feeling.")


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_dropped_or_pasted_image_gets_its_label(open_page, url, predictor, event):
    visit, data = open_page(url), encode(np.full((48, 48), 90, np.uint8))
    visit.give(event, "face.png", data)
    assert visit.wait(".face .tag").text_content() == best(predictor, data)


def test_says_what_is_wrong_and_goes_on(open_page, url, predictor):
    visit = open_page(url)
    visit.choose(file_of(b"Dear reader", "letter.txt"))
    visit.wait("#notice-title", "This cannot be read as an image")
    assert "letter.txt" in visit.text("notice-text")
    assert "JPEG" in visit.text("notice-text")
    visit.choose(file_of(bytes(3 * 2**19)))
    visit.wait("#notice-title", "This image is too large")
    assert "image.png" in visit.text("notice-text")
    assert "1.5 MiB" in visit.text("notice-text")
    assert "1 MiB" in visit.text("notice-text")
    visit.choose(file_of(encode(np.zeros((200, 300), np.uint8))))
    visit.wait("#notice-title", "No face found")
    assert visit.page.is_visible("#image")
    visit.give("drop", "", b"")
    visit.wait("#notice-title", "That was no file")
    visit.choose(file_of(encode(np.full((48, 48), 90, np.uint8))))
    visit.wait(".face")
    assert visit.page.is_hidden("#notice")


def test_boxes_are_not_drawn_into_an_image_that_the_browser_turns_otherwise(open_page, url, astronaut):
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(astronaut[:400])))
    file = io.BytesIO()
    turned.save(file, "JPEG", xmp=b'<rdf:Description tiff:Orientation="6"/>')
    visit = open_page(url)
    visit.choose(file_of(file.getvalue()))
    visit.wait("#notice-title", "Read, but not to be shown")
    frame = visit.page.locator("#frame").bounding_box()
    assert frame["width"] / frame["height"] == pytest.approx(512 / 400, abs=0.02)


def test_several_faces_are_chosen_by_mouse_and_keys(open_page, url, predictor, astronaut):
    face = astronaut[40:190, 140:310]
    row = np.hstack([face, face[:, ::-1], (face * 0.8).astype(np.uint8)])
    data = encode(row)
    faces = predictor.predict(decode(data))
    assert len(faces) == 3
    visit = open_page(url)
    visit.choose(file_of(data))
    visit.wait("#strip button")
    assert visit.page.locator(".face").count() == visit.page.locator("#strip button").count() == 3
    order = sorted(range(3), key=lambda index: faces[index].box.x)
    visit.page.locator(".face").nth(order[0]).hover()
    assert visit.text("remark").startswith((f"Face {order[0] + 1} of 3", "Not sure"))
    visit.page.locator(".face").nth(order[0]).focus()
    visit.page.keyboard.press("ArrowRight")
    assert visit.page.locator(".face").nth(order[1]).get_attribute("aria-pressed") == "true"
    assert visit.page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    visit.page.locator("#strip button").nth(order[2]).click()
    assert visit.page.locator(".face[aria-pressed=true]").count() == 1
    assert visit.page.locator(".face").nth(order[2]).get_attribute("aria-pressed") == "true"


def test_the_strip_shows_that_it_has_more_faces_and_scrolls_to_them(open_page, url, predictor, astronaut):
    face = astronaut[40:190, 140:310]
    data = encode(np.vstack([np.hstack([face] * 4)] * 3))
    assert len(predictor.predict(decode(data))) > 6
    visit = open_page(url)
    visit.choose(file_of(data))
    later = visit.wait("#later-faces")
    assert (later.get_attribute("aria-disabled"), visit.page.get_attribute("#earlier-faces", "aria-disabled")) == (
        "false",
        "true",
    )
    later.focus()
    visit.page.keyboard.press("Enter")
    visit.wait("#earlier-faces[aria-disabled=false]")
    visit.page.evaluate("document.getElementById('strip').scrollLeft = 9999")
    visit.wait("#later-faces[aria-disabled=true]")
    visit.page.locator("#strip button").first.focus()
    visit.wait("#earlier-faces[aria-disabled=true]")


def test_a_strip_that_fits_has_no_arrows(open_page, url, astronaut):
    face = astronaut[40:190, 140:310]
    visit = open_page(url)
    visit.choose(file_of(encode(np.hstack([face, face[:, ::-1]]))))
    visit.wait("#strip button")
    assert visit.page.is_hidden("#later-faces")
    assert visit.page.is_hidden("#earlier-faces")


def test_the_camera_is_read_live_and_mirrored(open_page, url, predictor):
    visit = open_page(url, permissions=["camera"])
    visit.page.click("#use-camera")
    visit.wait(".face .tag", re.compile(f"^({'|'.join(predictor.emotions)}) "))
    visit.wait("#frame-rate", re.compile(r"^\d+ fps$"))
    assert visit.page.get_attribute("#mirror", "aria-pressed") == "true"
    expected, place = visit.page.wait_for_function(MIRROR_ASIDE).json_value()
    assert place == pytest.approx(expected, abs=1)
    assert visit.page.get_attribute("#mirror", "aria-pressed") == "false"
    visit.page.click("#image-mode")
    visit.wait("#invitation")
    sent = len(visit.requests)
    visit.page.wait_for_timeout(400)
    assert len(visit.requests) - sent <= 1
    assert visit.page.evaluate("document.getElementById('video').srcObject") is None


def test_the_camera_is_one_session_of_the_server(open_page, url):
    visit = open_page(url, permissions=["camera"])
    for _ in range(2):
        visit.page.click("#camera-mode")
        visit.wait(".face .tag")
        visit.page.wait_for_timeout(500)
        visit.page.click("#image-mode")
        visit.wait("#invitation")
    queries = [parse_qs(urlsplit(address).query) for address in visit.requests if "/api/track?" in address]
    assert not [address for address in visit.requests if address.endswith("/api/predict")]
    by_session: dict[str, list[float]] = {}
    for query in queries:
        by_session.setdefault(query["session"][0], []).append(float(query["seconds"][0]))
    assert len(by_session) == 2
    for session, times in by_session.items():
        assert UUID(session).version == 4
        assert len(times) > 2
        assert times == sorted(times)


def test_the_page_shows_the_faces_of_each_answer_as_the_server_numbers_them(open_page, url, predictor):
    """It matches, adds and drops none by itself, whatever the boxes are."""

    def face(number: int, x: int) -> dict[str, Any]:
        box = {"x": x, "y": 40, "width": 60, "height": 60}
        probabilities = dict.fromkeys(predictor.emotions, 0.0) | {predictor.emotions[number]: 1.0}
        scores = {"emotion": predictor.emotions[number], "confidence": 1.0, "probabilities": probabilities}
        return {"number": number, "detected": True, "box": box} | scores

    answers = [[face(1, 20), face(2, 200)], [face(2, 20)], [], [face(3, 200)]]
    visit, wanted = open_page(url, permissions=["camera"]), [0]
    visit.page.route(
        "**/api/track?*",
        lambda route: route.fulfill(json={"width": 320, "height": 180, "faces": answers[wanted[0]]}),
    )
    visit.page.click("#camera-mode")
    for index, faces in enumerate(answers):
        wanted[0] = index
        labels = [f"{one['emotion']} 100 %" for one in faces]
        visit.page.wait_for_function(SHOWS_LABELS, arg=labels)
    place = "document.querySelector('.face').style.left"
    assert visit.page.evaluate(place) == "18.75%", "a new face is at its place at once, here mirrored"


def test_says_why_there_is_no_camera(open_page, url):
    visit = open_page(url)
    titles = {
        "NotAllowedError": "The camera is not allowed",
        "NotFoundError": "No camera found",
        "NotReadableError": "The camera is taken",
        None: "No camera at this address",
    }
    for error, title in titles.items():
        failing = f"{{ getUserMedia: () => Promise.reject(new DOMException('', '{error}')) }}" if error else "undefined"
        visit.page.evaluate(
            f"Object.defineProperty(navigator, 'mediaDevices', {{ value: {failing}, configurable: true }})"
        )
        visit.page.click("#camera-mode")
        visit.wait("#notice-title", title)
        visit.choose(file_of(encode(np.full((48, 48), 90, np.uint8))))
        visit.wait(".face")
        assert visit.page.is_hidden("#notice")


def test_waits_for_a_server_that_is_gone(open_page, predictor):
    data = encode(np.full((48, 48), 90, np.uint8))
    with running_server(make_app(predictor)) as (host, port):
        visit = open_page(f"http://{host}:{port}")
    visit.choose(file_of(data))
    visit.wait("#notice-title", "The server is gone")
    with running_server(make_app(predictor), port):
        visit.wait(".face .tag", best(predictor, data))
        assert visit.page.is_hidden("#notice")


def test_fits_a_narrow_window(open_page, url, astronaut):
    visit = open_page(url, width=360, height=640, color_scheme="dark")
    visit.choose(file_of(encode(astronaut)))
    visit.wait(".face")
    width = "document.documentElement.scrollWidth"
    assert visit.page.evaluate(width) == 360
    visit.page.click("nav a")
    visit.wait("h1", "From a program")
    visit.wait("pre", visit.url)
    assert visit.page.evaluate(width) == 360


def test_the_released_model_sees_a_happy_astronaut(open_page, astronaut):
    try:
        released = Predictor()
    except InputError as error:
        pytest.skip(str(error))
    with running_server(make_app(released)) as (host, port):
        visit = open_page(f"http://{host}:{port}", permissions=["camera"])
        visit.choose(file_of(encode(astronaut)))
        visit.wait(".face .tag", re.compile("^happy "))
        assert visit.page.locator(".face").count() == 1
        visit.page.click("#camera-mode")
        visit.wait("#frame-rate")
        visit.wait(".face .tag", re.compile("^happy "))
