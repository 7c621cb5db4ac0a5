"""`dvc plots`: the page shows its plots with no network, and the curves stand in it."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from typing import Any

import pytest

from benchmarks.serve_screenshot import CHROMIUM, FLAGS
from emotion.core.emotion_names import EMOTIONS
from emotion.presentation.colors import COLORS
from tests.pipeline.project import BIN, ROOT, TIMEOUT

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

PAGE = ROOT / ".dvc/page/page.html"
TEMPLATES = sorted((ROOT / ".dvc/plots").glob("*.json"))
TITLES = [
    "Loss by epoch",
    "Accuracy by epoch",
    "Confusion in images",
    "Confusion in shares of the actual emotion",
    "ROC, each emotion against the rest",
    "Precision and recall, each emotion against the rest",
    "Reliability, accuracy by confidence",
]


class Sources(HTMLParser):
    """Collects whatever a page loads from elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.images: list[str] = []
        self.others: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("src", "href", "data", "srcset", "action", "poster"):
                (self.images if tag == "img" else self.others).append(value)


@pytest.fixture(scope="module")
def shown(finished):
    finished.dvc("plots", "show")
    return finished.read("dvc_plots/index.html")


def specs(page: str) -> dict[str, dict[str, Any]]:
    """Return the Vega-Lite specs of a page by title."""
    found = [json.loads(text) for text in re.findall(r"^\s*var spec = (\{.*\});$", page, flags=re.MULTILINE)]
    return {spec["title"]["text"] if isinstance(spec["title"], dict) else spec["title"]: spec for spec in found}


def epochs_of(page: str) -> set[str]:
    return {row["step"] for row in specs(page)["Loss by epoch"]["data"]["values"]}


def test_the_page_loads_nothing_from_the_network(shown):
    sources = Sources(shown)
    assert sources.others == []
    assert sources.images
    assert not [image for image in sources.images if not image.startswith("static/")]
    assert "Content-Security-Policy" in shown
    assert not re.search(r"@import|url\(\s*['\"]?https?:|@font-face", shown)


def test_the_page_has_every_plot(shown, finished):
    assert list(specs(shown)) == TITLES
    images = {path.name for path in (finished.path / "metrics/plots").iterdir()}
    assert {re.split("_metrics_(?:plots_|sheets_)?", image)[-1] for image in Sources(shown).images} == images
    assert all((finished.path / "dvc_plots" / image).is_file() for image in Sources(shown).images)


def test_the_plots_hold_the_figures_of_the_run(shown, finished):
    drawn = specs(shown)
    rows = drawn["Confusion in images"]["data"]["values"]
    right = sum(row["actual"] == row["predicted"] for row in rows) / len(rows)
    assert right == pytest.approx(finished.metrics("evaluate")["test"]["accuracy"], abs=1e-4)
    assert epochs_of(shown) == {"1", "2"}
    assert "<DVC_METRIC" not in json.dumps(drawn)


@pytest.mark.skipif(sys.platform == "win32", reason="os.killpg is not on Windows")
def test_a_training_that_runs_is_shown_with_its_epochs_so_far(project):
    project.set_params({"train.epochs": 400})
    history = project.path / "metrics/live/plots/metrics/loss.tsv"
    history.unlink()  # that of the finished training
    repro = subprocess.Popen(
        [str(BIN / "dvc"), "repro", "--single-item", "--force", "train"],
        cwd=project.path,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        limit = time.monotonic() + TIMEOUT
        while not history.is_file() or len(history.read_text(encoding="utf-8").splitlines()) < 3:
            assert repro.poll() is None, f"the training ended with {repro.returncode}"
            assert time.monotonic() < limit, "the training wrote no second epoch"
            time.sleep(0.1)
        project.dvc("plots", "show")
        epochs = epochs_of(project.read("dvc_plots/index.html"))
        project.dvc("plots", "diff", "HEAD")
        project.dvc("exp", "show", "--no-pager")
        assert repro.poll() is None, "the training ended before its plots were shown"
    finally:
        os.killpg(repro.pid, signal.SIGKILL)
        repro.wait()
    assert {"1", "2"} <= epochs
    assert len(epochs) < 400
    assert project.git("status", "--porcelain", "dvc.yaml") == ""


TOO_WIDE = """() => [...document.querySelectorAll("html, main > div, main svg, main img")]
    .filter((element) => element.scrollWidth > element.clientWidth + 1
        || element.getBoundingClientRect().right > window.innerWidth)
    .map((element) => `${element.tagName} ${element.id} of ${element.getBoundingClientRect().width} pixels`)"""
"""The elements of the page that it cuts, or that have to be scrolled sideways."""


@pytest.mark.browser
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("command", [("show",), ("diff", "HEAD")], ids=lambda command: command[0])
def test_no_chart_or_image_is_cut(project, command, width):
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    if command[0] == "diff":
        for file in (project.path / "metrics/live/plots/metrics").iterdir():
            file.write_text(file.read_text(encoding="utf-8").replace("0.", "0.1"), encoding="utf-8")
    project.dvc("plots", *command)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto((project.path / "dvc_plots/index.html").as_uri())
        page.wait_for_function(f"document.querySelectorAll('main svg.marks').length === {len(TITLES)}")
        too_wide = page.evaluate(TOO_WIDE)
        legends = page.locator("main svg.marks .role-legend").count()
        browser.close()
    assert too_wide == []
    assert legends >= 5, "the emotions and the splits have legends"


def test_the_libraries_are_those_that_the_readme_names():
    page = PAGE.read_text(encoding="utf-8")
    scripts = dict(re.findall(r'<script id="([^"]+)">(.*?)</script>', page, flags=re.DOTALL))
    rows = re.findall(r"^\| (vega[\w-]*) \| ([\d.]+) \|.*`(\w{64})` \|$", (PAGE.parent / "README.md").read_text(), re.M)
    named = {f"{name}-{version}": checksum for name, version, checksum in rows}
    assert {name: hashlib.sha256(script.encode()).hexdigest() for name, script in scripts.items()} == named


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_templates_keep_to_the_projects_order_and_colors(template):
    text = template.read_text(encoding="utf-8")
    for order in _values(json.loads(text), "sort"):
        emotions = [emotion for emotion in order if emotion not in ("all", "raw")]
        assert not emotions or emotions == list(COLORS)
    for colors in (scale["range"] for scale in _values(json.loads(text), "scale") if "range" in scale):
        emotions = [color for color in colors if color in COLORS.values()]
        assert len(emotions) < len(COLORS) or emotions == list(COLORS.values())
    assert list(COLORS)[: len(EMOTIONS)] == list(EMOTIONS)


def _values(spec, key):
    if isinstance(spec, dict):
        yield from ([spec[key]] if isinstance(spec.get(key), (list, dict)) else [])
        spec = list(spec.values())
    if isinstance(spec, list):
        for value in spec:
            yield from _values(value, key)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_panels_in_rows_and_columns_are_sorted_in_both(template):
    """Vega-Lite puts panels under the wrong headers where one order is that of the data, an empty list."""
    facet = json.loads(template.read_text(encoding="utf-8")).get("facet", {})
    if {"row", "column"} <= facet.keys():
        assert [] not in [facet[side].get("sort") for side in ("row", "column")]
