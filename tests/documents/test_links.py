"""Links and images in the documents lead to files of this repository, or out of it."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```", re.DOTALL)


@pytest.fixture(scope="module")
def documents() -> list[Path]:
    """The documents that are committed; those of the packages in .venv are not ours."""
    git = ["git", "-C", str(ROOT), "ls-files", "*.md"]
    return [ROOT / name for name in subprocess.run(git, capture_output=True, check=True, text=True).stdout.splitlines()]


def links(document: Path) -> list[str]:
    """Return where the links of a document lead, but those to the web."""
    found = LINK.findall(CODE.sub("", document.read_text(encoding="utf-8")))
    return [link for link in found if not link.startswith(("https://", "http://"))]


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub and GitLab write those of plain words."""
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", document.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_there_are_links_to_follow(documents):
    assert ROOT / "README.md" in documents
    assert len(links(ROOT / "README.md")) > 10


def test_links_lead_somewhere(documents):
    for document, link in ((path, link) for path in documents for link in links(path)):
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        assert target.exists(), f"{link} in {document.relative_to(ROOT)}"
        assert not anchor or anchor in anchors(target), f"{link} in {document.relative_to(ROOT)}"
