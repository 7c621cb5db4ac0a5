"""The files below a folder, without those that cannot be read: broken links, pipes and devices. Nothing is opened."""

import os
import shlex
import stat
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

UNSEEN = frozenset({".git", ".hg", ".dvc"})
"""Names of folders into which DVC does not look, and neither does `walk`."""


class Kind(StrEnum):
    """The kind of an item below a folder, in the words of messages.

    Attributes:
        FILE: a file, or a link to one.
        BROKEN_LINK: a link to nothing, or to itself.
        SPECIAL: a pipe, a socket or a device, or a link to one. To open it may wait for ever.
        FOLDER_LINK: a link to a folder. It is not followed, since DVC sees no changes behind it.
        CLOSED_FOLDER: a folder without the permission to list it and to open what it holds.
    """

    FILE = "files"
    BROKEN_LINK = "broken links"
    SPECIAL = "pipes and devices"
    FOLDER_LINK = "links to folders"
    CLOSED_FOLDER = "folders without permission"


class Item(NamedTuple):
    """An item below a folder: its path relative to that folder, with /, its kind, and its full path."""

    name: str
    kind: Kind
    path: str


def walk(folder: str) -> Iterator[Item]:
    """Yield all items below `folder` in any order, without the folders that can be listed and without UNSEEN.

    Links to folders are not followed, so a loop of links ends. The folder itself may be one.
    """
    waiting = [""]
    while waiting:
        below = waiting.pop()
        path = os.path.join(folder, below)  # noqa: PTH118
        if not os.access(path, os.R_OK | os.X_OK):
            yield Item(below.rstrip("/") or ".", Kind.CLOSED_FOLDER, path.rstrip("/"))
            continue
        with os.scandir(path) as listing:
            for item in listing:
                name = below + item.name
                if not item.is_dir(follow_symlinks=False):
                    yield Item(name, _find_kind(item), item.path)
                elif item.name not in UNSEEN:
                    waiting.append(f"{name}/")


def _find_kind(item: "os.DirEntry[str]") -> Kind:
    # A plain file needs no further call of the system.
    if item.is_file(follow_symlinks=False):
        return Kind.FILE
    try:
        mode = item.stat().st_mode
    except OSError:
        return Kind.BROKEN_LINK
    if stat.S_ISDIR(mode):
        return Kind.FOLDER_LINK
    return Kind.FILE if stat.S_ISREG(mode) else Kind.SPECIAL


def explain_closed(path: str) -> str:
    """Return the message on a folder without permission, with the way out."""
    return (
        f"the folder {path} cannot be listed, since you have no permission; run `chmod -R u+rX {shlex.quote(path)}`, "
        "or ask its owner to"
    )
