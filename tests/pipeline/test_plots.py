"""`dvc plots`: the page shows its plots with no network, and the curves stand in it."""

import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from emotion.core.labels import EMOTIONS
from emotion.presentation.colors import COLORS
from tests.pipeline.project import ROOT

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


def test_the_page_loads_nothing_from_the_network(shown):
    sources = Sources(shown)
    assert sources.others == []
    assert sources.images
    assert not [image for image in sources.images if not image.startswith("static/")]
    assert "Content-Security-Policy" in shown
    assert not re.search(r"@import|url\(\s*['\"]?https?:|@font-face", shown)


def test_the_page_has_every_plot(shown, finished):
    assert list(specs(shown)) == TITLES
    images = {path.name for path in (finished.path / "metrics/plots").iterdir()} | {"explanations.png"}
    assert {re.split("_metrics_(?:plots_)?", image)[-1] for image in Sources(shown).images} == images
    assert all((finished.path / "dvc_plots" / image).is_file() for image in Sources(shown).images)


def test_the_plots_hold_the_figures_of_the_run(shown, finished):
    drawn = specs(shown)
    rows = drawn["Confusion in images"]["data"]["values"]
    right = sum(row["actual"] == row["predicted"] for row in rows) / len(rows)
    assert right == pytest.approx(finished.metrics("evaluate")["test"]["accuracy"], abs=1e-4)
    epochs = {row["epoch"] for row in drawn["Loss by epoch"]["data"]["values"]}
    assert epochs == {"1", "2"}
    assert "<DVC_METRIC" not in json.dumps(drawn)


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
