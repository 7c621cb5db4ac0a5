"""Links and pictures in the documents lead to files of this repository, or out of it."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LISTED = subprocess.run(["git", "-C", str(ROOT), "ls-files", "*.md"], capture_output=True, check=True, text=True)
DOCUMENTS = [ROOT / name for name in LISTED.stdout.splitlines()]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```", re.DOTALL)


def links(document: Path) -> list[str]:
    """Return where the links of a document lead, but those to the web."""
    found = LINK.findall(CODE.sub("", document.read_text(encoding="utf-8")))
    return [link for link in found if not link.startswith(("https://", "http://"))]


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub and GitLab write those of plain words."""
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", document.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_there_are_links_to_follow():
    assert ROOT / "README.md" in DOCUMENTS
    assert len(links(ROOT / "README.md")) > 10


@pytest.mark.parametrize("document", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS])
def test_links_lead_somewhere(document):
    for link in links(document):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), f"{link} in {document.relative_to(ROOT)}"
        assert not anchor or anchor in anchors(target), f"{link} in {document.relative_to(ROOT)}"
