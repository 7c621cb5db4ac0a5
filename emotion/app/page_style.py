"""The style of the pages that are written as files, such as a timeline. Each has its style inside."""

from pathlib import Path

BASE = Path(__file__).with_name("page_base.css")


def read_style(own: Path) -> str:
    """Return the style that all such pages share, and then that of the file `own`."""
    return "\n".join(path.read_text(encoding="utf-8") for path in (BASE, own))
