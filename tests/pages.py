"""The documents for users: README.md and the pages that it links to, in reading order."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = (
    *("tutorial", "reading", "images", "layouts", "labels", "training", "experiments", "cluster", "models"),
    *("sharing", "security", "figures", "speed", "log", "glossary"),
)
DOCUMENTS = (ROOT / "README.md", *(ROOT / f"docs/{page}.md" for page in PAGES))


def read_documents() -> str:
    """Return the text of all documents, one after the other."""
    return "\n".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
