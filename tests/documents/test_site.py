"""The documentation site builds strictly, holds its generated pages, and loads nothing from other servers."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from emotion.app.cli import GROUPS, name_of
from emotion.core.params import SECTIONS

pytestmark = pytest.mark.slow  # `.ci/run` builds the site too

pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")
pytest.importorskip("mkdocstrings", reason="the extra `docs` is not installed")

ROOT = Path(__file__).parents[2]
LOADED = re.compile(
    r"""<(?:script|img|iframe)[^>]*\ssrc=["']?((?:https?:)?//[^"'\s>]+)|<link[^>]*href=["']?(https?:[^"'\s>]+)"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as `make docs` builds it, in a folder for this test."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return folder


def test_no_page_loads_anything_from_another_server(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 20
    loaded = {page.name: LOADED.findall(page.read_text(encoding="utf-8")) for page in pages}
    assert {name: found for name, found in loaded.items() if found} == {}


def test_every_command_has_a_section(site):
    page = (site / "commands.html").read_text(encoding="utf-8")
    for modules in GROUPS.values():
        for module in modules:
            assert f'id="emotion-{name_of(module)}"' in page


def test_every_param_has_a_row(site):
    page = (site / "params.html").read_text(encoding="utf-8")
    for name, section in SECTIONS.items():
        part = page.partition(f'id="{name}"')[2].partition("</table>")[0]
        for key in section.model_fields:
            assert f"<code>{key}</code>" in part, f"{name}.{key}"


@pytest.mark.parametrize("module", sorted((ROOT / "emotion").rglob("[a-z]*.py")), ids=lambda path: path.stem)
def test_every_module_is_in_the_reference(site, module):
    name = ".".join(module.relative_to(ROOT).with_suffix("").parts)
    page = site / "reference" / f"{name.rpartition('.')[0]}.html"
    assert f'id="{name}"' in page.read_text(encoding="utf-8")
