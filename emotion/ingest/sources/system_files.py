"""Files that operating systems and other programs leave among a user's files."""

import re

SYSTEM_FILES = frozenset({"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin"})
"""Names of such files and folders, in lower case."""

HIDDEN = re.compile(rf"(?:^|/)(?:\.|(?:{'|'.join(map(re.escape, sorted(SYSTEM_FILES)))})(?:/|$))", re.IGNORECASE)
"""A part of a path that is the name of such a file, or begins with a dot."""

SYSTEM_FILES_KIND = "system files"
"""The kind under which they are counted."""


def is_hidden(name: str) -> bool:
    """Return whether a path within a source is that of a system file, or of a hidden one, such as `__MACOSX/._a.jpg`.

    Args:
        name: the path relative to the source, with /. Case does not count.
    """
    return HIDDEN.search(name) is not None
