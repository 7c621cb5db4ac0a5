"""Trees of files from which images are read by name: a folder, or an archive."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from emotion.core.errors import InputError
from emotion.core.folder_walk import Kind, explain_closed, walk
from emotion.data.images import read_bytes
from emotion.ingest.sources.system_files import SYSTEM_FILES_KIND, is_hidden

NO_UTF8 = "its name is not UTF-8; rename the file"
"""The reason why a file is rejected."""


class Listing(NamedTuple):
    r"""The files of a tree.

    Attributes:
        names: the paths relative to the tree, with /, sorted, without system files. A byte that is not UTF-8 is written
            as in `\xff`.
        skipped: the number of items that are not among `names`, by their kind, such as `system files`.
        faults: reasons why files of `names` are rejected.
    """

    names: list[str]
    skipped: Mapping[str, int]
    faults: Mapping[str, str]


def make_listing(names: Iterable[str], skipped: Mapping[str, int]) -> Listing:
    """Return the listing of the files `names`.

    Args:
        names: the paths as the system or archive gives them, in any order, also those of system files.
        skipped: the number of other items, by their kind.
    """
    shown = []
    faults = {}
    hidden = 0
    for name in names:
        if is_hidden(name):
            hidden += 1
        elif is_utf8(name):
            shown.append(name)
        else:
            faults[escape(name)] = NO_UTF8
    system_files = {SYSTEM_FILES_KIND: hidden} if hidden else {}
    return Listing(sorted([*shown, *faults]), {**skipped, **system_files}, faults)


def is_utf8(name: str) -> bool:
    """Return whether a name is UTF-8. Python keeps the other bytes of file names as surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def escape(name: str) -> str:
    r"""Return a name in which a byte that is not UTF-8 is written as in `\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


class FileTree(Protocol):
    """A tree of files.

    It is sent to other processes with every batch, so it must be small and picklable.
    """

    @property
    def name(self) -> str:
        """The path of the folder or archive, for messages."""
        ...

    def list(self) -> Listing:
        """Return the files of the tree.

        Raises:
            InputError: a part of the tree cannot be listed.
        """
        ...

    def read(self, file: str) -> bytes:
        """Return the content of a file.

        Raises:
            ImageError: the file cannot be read or is too large.
        """
        ...

    def for_workers(self) -> "FileTree | None":
        """Return the tree as workers of a cluster read it; None where they cannot, so that files are sent to them."""
        ...


class FolderTree(NamedTuple):
    """The files below a folder."""

    folder: Path

    @property
    def name(self) -> str:
        """The path of the folder."""
        return str(self.folder)

    def list(self) -> Listing:
        """Return the files below the folder; see `FileTree`. Nothing is opened, and links to folders are skipped."""
        names = []
        skipped: Counter[str] = Counter()
        for item in walk(str(self.folder)):
            if item.kind is Kind.CLOSED_FOLDER:
                raise InputError(explain_closed(item.path))
            if item.kind is Kind.FILE:
                names.append(item.name)
            else:
                skipped[item.kind.value] += 1
        return make_listing(names, skipped)

    def read(self, file: str) -> bytes:
        """Return the content of a file; see `FileTree`."""
        return read_bytes(f"{self.folder}/{file}")

    def for_workers(self) -> FileTree:
        """Return the folder under its whole path; see `FileTree`."""
        return FolderTree(self.folder.absolute())
