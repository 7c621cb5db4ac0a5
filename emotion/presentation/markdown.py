"""Texts of others in Markdown, such as keys and names: shown as they are, never read as Markdown or HTML."""

import re

SPECIAL = re.compile(r"[\\`*<>\[\]!|~&]|(?<!\w)_|_(?!\w)")
"""Characters that begin links, images, emphasis, code, HTML and cells of tables. Within a word, `_` begins nothing."""


def escape(text: str) -> str:
    """Return `text` on one line, with a backslash before each character that Markdown would read."""
    return SPECIAL.sub(r"\\\g<0>", _one_line(text))


def code(text: str) -> str:
    """Return `text` on one line as code, within more backticks than it has in a row. It is no cell of a table."""
    line = _one_line(text)
    longest = max(map(len, re.findall("`+", line)), default=0)
    blank = " " if longest else ""
    return f"{'`' * (longest + 1)}{blank}{line}{blank}{'`' * (longest + 1)}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
