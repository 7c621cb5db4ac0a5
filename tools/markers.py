"""Parts of documents that commands write: the lines between `<!-- KIND: NAME -->` and `<!-- /KIND -->`."""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from emotion.core.errors import InputError
from emotion.core.files import atomic_path

Renderers = Mapping[str, Callable[[], str]]
"""The function that renders each part, by the name in its marker."""


def list_documents() -> list[Path]:
    """Return README.md and the pages of docs/, at any depth."""
    return [Path("README.md"), *sorted(Path("docs").rglob("*.md"))]


def fill_documents(kind: str, renderers: Renderers) -> dict[Path, str]:
    """Return the texts of the documents in which a part of this kind has to change, with their parts filled.

    Raises:
        InputError: the markers of a document are wrong.
    """
    texts = {document: fill(document, kind, renderers) for document in list_documents()}
    return {document: text for document, text in texts.items() if text != document.read_text(encoding="utf-8")}


def write_documents(texts: Mapping[Path, str]) -> None:
    """Write the texts that fill_documents returned."""
    for document, text in texts.items():
        with atomic_path(document) as temporary:
            temporary.write_text(text, encoding="utf-8")
        print(f"wrote {document}", file=sys.stderr)


def fill(document: Path, kind: str, renderers: Renderers) -> str:
    """Return the text of a document with each part of a kind between its markers.

    Raises:
        InputError: a marker has a name without a renderer, or lacks its end.
    """
    start, end = re.compile(f"<!-- {kind}: (?P<name>.+) -->"), f"<!-- /{kind} -->"
    lines: list[str] = []
    opened = ""
    for line in document.read_text(encoding="utf-8").splitlines(keepends=True):
        marker = start.fullmatch(line.rstrip("\n"))
        if line.rstrip("\n") == end:
            opened = ""
        if marker and opened:
            break
        if not opened:
            lines.append(line)
        if marker:
            opened = marker["name"]
            lines.append(_render(document, kind, opened, renderers))
    if opened:
        raise InputError(f"{document}: the marker {kind}: {opened} lacks its end; add the line {end}")
    return "".join(lines)


def _render(document: Path, kind: str, name: str, renderers: Renderers) -> str:
    if name not in renderers:
        raise InputError(f"{document}: got the marker {kind}: {name}, expected one of {', '.join(renderers)}")
    return renderers[name]()
