"""Files that operating systems and other programs leave among a user's files."""

SYSTEM_FILES = frozenset({"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin"})
"""Names of such files and folders, in lower case."""

SYSTEM_FILES_KIND = "system files"
"""The kind under which they are counted."""


def is_hidden(name: str) -> bool:
    """Return whether a path within a source is that of a system file, or of a hidden one, such as `__MACOSX/._a.jpg`.

    Args:
        name: the path relative to the source, with /. Case does not count.
    """
    return any(part.startswith(".") or part in SYSTEM_FILES for part in name.lower().split("/"))
