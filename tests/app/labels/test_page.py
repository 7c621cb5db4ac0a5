"""The page of suspect labels: what stands in it, and deciding by keys in a browser."""

import base64
import json
import re
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.serve_screenshot import CHROMIUM, FLAGS
from emotion.app.labels.page import LARGEST_PNG, Suspect, to_html, write_page
from emotion.core.emotion_names import EMOTIONS
from emotion.ingest.decision_file import read_decisions

HASHES = [f"{number:032x}" for number in range(5)]


def make_suspects(size: int = 12, channels: int = 1) -> list[Suspect]:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (5, size, size, channels), dtype=np.uint8)
    votes = [{"neutral": 7, "no face": 3}, *[{}] * 4]
    shares = generator.dirichlet(np.ones(7), 5)
    return [
        Suspect(image, key, EMOTIONS[number], shares[number].tolist(), votes[number])
        for number, (image, key) in enumerate(zip(images, HASHES, strict=True))
    ]


def read_data(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    content: dict[str, Any] = json.loads(found[1])
    return content


def decode(uri: str) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8), -1)
    assert image is not None
    return image


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_in_the_page_without_loss(channels):
    suspects = make_suspects(channels=channels)
    told = read_data(to_html(suspects, EMOTIONS, "one"))["suspects"]
    for suspect, shown in zip(suspects, told, strict=True):
        image = decode(shown["image"])
        np.testing.assert_array_equal(image[:, :, ::-1] if channels == 3 else image[:, :, None], suspect.image)
        assert (shown["hash"], shown["given"], shown["votes"]) == (suspect.hash, suspect.given, suspect.votes)
        assert shown["probabilities"] == pytest.approx(suspect.probabilities, abs=5e-4)


def test_large_images_are_smaller_than_without_loss():
    page = to_html(make_suspects(LARGEST_PNG + 1), EMOTIONS, "one")
    assert "data:image/jpeg;base64," in page
    assert "data:image/png" not in page


def test_a_label_cannot_break_out_of_the_page():
    label = "</script><b>"
    suspect = make_suspects()[0]._replace(given=label, votes={label: 1})
    page = to_html([suspect], (label, "sad"), "one")
    assert "</script><b>" not in page
    assert read_data(page)["suspects"][0]["given"] == label
    assert not re.search(r"https?://", page)


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium")
def test_decisions_by_keys_are_kept_and_saved(here):
    playwright = pytest.importorskip("playwright.sync_api")
    path = here / "suspects.html"
    write_page(path, make_suspects(), EMOTIONS, "one")
    requested: list[str] = []
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        context = browser.new_context(viewport={"width": 400, "height": 800}, accept_downloads=True)
        page = context.new_page()
        page.on("request", lambda request: requested.append(request.url))
        page.on("console", lambda message: pytest.fail(message.text))
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 400
        assert page.inner_text("#given") == "angry"
        assert page.is_visible("td.votes")
        assert page.inner_text("#others") == "no face: 3"
        page.keyboard.press("7")  # angry is changed to neutral
        assert not page.is_visible("td.votes")
        page.keyboard.press("Enter")  # disgust is right
        page.keyboard.press("ArrowRight")  # fear is skipped
        page.keyboard.press("4")  # happy is happy
        page.keyboard.press("x")
        assert page.is_visible("#end")
        assert page.inner_text("#end-title") == "1 images are not decided"
        page.keyboard.press("ArrowLeft")
        assert page.inner_text("#decision") == "dropped"
        page.keyboard.press("u")
        assert page.inner_text("#progress") == "3 of 5 decided: 2 confirmed, 1 changed, 0 dropped"
        page.keyboard.press("Backspace")
        page.keyboard.press("X")  # the second decision on happy
        page.reload()
        assert page.inner_text("#place") == "3 of 5"  # the first that is not decided
        page.click("#drop")
        with page.expect_download() as download:
            page.keyboard.press("s")
        download.value.save_as(here / download.value.suggested_filename)
        browser.close()
    assert {url.partition(":")[0] for url in requested} <= {"file", "data", "blob"}
    saved = read_decisions(here / "decisions.csv").set_index("hash")
    assert saved.index.tolist() == HASHES[:4]
    assert saved["given"].tolist() == list(EMOTIONS[:4])
    assert saved["decision"].tolist() == ["change", "confirm", "drop", "drop"]
    assert saved["emotion"].tolist() == ["neutral", "", "", ""]
