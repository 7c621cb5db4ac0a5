"""The page fits a wide and a narrow window, in light and in dark, and asks for nothing."""

import pytest

from benchmarks.serve_screenshot import CHROMIUM, FLAGS
from tests.app.timeline.face_tables import HAPPY, SAD, write_table

pytestmark = pytest.mark.browser

playwright = pytest.importorskip("playwright.sync_api")


@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium")
def test_the_page_fits_and_its_bands_are_as_wide_as_their_axis(here, emotion_timeline):
    samples = [(index, index / 5, 1 + index % 3, HAPPY if index % 2 else SAD) for index in range(2000)]
    assert emotion_timeline(write_table(here / "talk.csv", samples), "-o", "page.html")[0] == 0
    requested: list[str] = []
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        papers = set()
        for width, scheme in ((1280, "light"), (400, "dark")):
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
            page.on("request", lambda request: requested.append(request.url))
            page.on("console", lambda message: pytest.fail(message.text))
            page.goto((here / "page.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") == width
            widths = page.evaluate(
                "[...document.querySelectorAll('svg, .axis')].map((part) => part.getBoundingClientRect().width)"
            )
            assert len(widths) == 6
            assert len(set(widths)) == 1
            assert widths[0] > 0.8 * min(width, 1200)
            papers.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        browser.close()
    assert len(papers) == 2
    assert {url.partition(":")[0] for url in requested} == {"file"}
