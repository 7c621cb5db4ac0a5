"""The files below the source folder: their number and size by kind, and the faults that make DVC fail on them.

DVC reads every file of the folder before a stage runs. On most of these faults its message names no file or no way out,
and on a pipe it waits for ever.
"""

import os
import shlex
from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum

from emotion.core.folder_walk import Item, Kind, walk
from emotion.core.guard import read_ignored
from emotion.core.stores import StoreAddress, list_store
from emotion.data.images import is_image
from emotion.ingest.sources.system_files import SYSTEM_FILES_KIND, is_hidden
from emotion.ingest.sources.trees import escape, is_utf8

LISTED = 12
"""Names that a fault lists."""

TABLES = (".csv", ".tsv", ".txt", ".json", ".xml", ".md", ".parquet", ".npy", ".lst")
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".rar", ".7z")

DVCIGNORE = ".dvcignore"


class FaultKind(Enum):
    """A kind of fault: what it is and does, and the way out, in which `{folder}` is the source folder.

    Attributes:
        CLOSED: a folder that cannot be listed.
        UNREADABLE: a file that cannot be opened.
        NAME: a name that is not UTF-8.
        BROKEN: a link to nothing.
        SPECIAL: a pipe, a socket or a device.
        FOLDER_LINK: a link to a folder.
        IGNORE_FILE: a file of DVC itself.
    """

    CLOSED = ("folders without permission", "run `chmod -R u+rX {folder}`, or ask their owner to")
    UNREADABLE = ("files without permission", "run `chmod -R u+rX {folder}`, or ask their owner to")
    NAME = (
        "names that are not UTF-8, on which DVC fails with `surrogates not allowed`",
        "rename them, for instance with `convmv -f latin1 -t utf8 -r --notest {folder}`",
    )
    BROKEN = ("broken links, on which DVC fails", "remove them with `find {folder} -xtype l -delete`, or mend them")
    SPECIAL = ("pipes, sockets or devices, on which DVC waits for ever or fails", "remove them")
    FOLDER_LINK = (
        "links to folders, behind which DVC sees no changes",
        "replace each by the folder itself, or set source.folder to where it leads",
    )
    IGNORE_FILE = (
        f"files named {DVCIGNORE}, which DVC allows in the root of the project only",
        f"move their lines to {DVCIGNORE} in the root",
    )


KINDS = {
    Kind.CLOSED_FOLDER: FaultKind.CLOSED,
    Kind.BROKEN_LINK: FaultKind.BROKEN,
    Kind.SPECIAL: FaultKind.SPECIAL,
    Kind.FOLDER_LINK: FaultKind.FOLDER_LINK,
}


@dataclass(frozen=True)
class Fault:
    """A fault that would stop DVC or the pipeline.

    Attributes:
        message: what is wrong, with the way out where `names` is empty.
        names: the files that have this fault, sorted, with escaped bytes.
        remedy: the way out; empty where the message has it.
    """

    message: str
    names: tuple[str, ...] = ()
    remedy: str = ""

    def describe(self) -> str:
        """Return the fault for the terminal, with at most LISTED names."""
        if not self.names:
            return self.message
        more = f" and {len(self.names) - LISTED:,} more" if len(self.names) > LISTED else ""
        shown = ", ".join(map(shlex.quote, self.names[:LISTED]))
        return f"{self.message} ({len(self.names):,}): {shown}{more}\n    The way out: {self.remedy}"


@dataclass
class Amount:
    """The files of a kind: their number, their size in bytes, and their suffixes in lower case."""

    files: int = 0
    size: int = 0
    suffixes: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class FolderContent:
    """The files below a folder: their amounts by kind, and the faults in them by kind."""

    amounts: dict[str, Amount]
    faults: dict[FaultKind, Fault]

    @property
    def can_be_listed(self) -> bool:
        """Whether the readers can list the folder."""
        return not {FaultKind.CLOSED, FaultKind.FOLDER_LINK} & self.faults.keys()


def look_into(folder: str) -> FolderContent:
    """Return the content of the folder at `folder`. Nothing is opened."""
    amounts: defaultdict[str, Amount] = defaultdict(Amount)
    faulty: defaultdict[FaultKind, list[str]] = defaultdict(list)
    for item in walk(folder):
        kind = _find_fault(item)
        if kind is not None:
            faulty[kind].append(item.path)
        _add(amounts, item)
    ignored = read_ignored()
    faults = {}
    for kind in FaultKind:
        # To match each of many files against .dvcignore would take seconds.
        names = sorted(escape(path) for path in faulty[kind] if not ignored.match_file(os.path.normpath(path)))
        if names:
            message, remedy = kind.value
            faults[kind] = Fault(message, tuple(names), remedy.format(folder=shlex.quote(folder)))
    return FolderContent(_most_first(amounts), faults)


def look_into_store(folder: StoreAddress) -> FolderContent:
    """Return the content below an address. DVC finds no faults in the names of a store.

    Raises:
        InputError: the store cannot be used.
    """
    amounts: defaultdict[str, Amount] = defaultdict(Amount)
    for name, file in list_store(folder).items():
        _add_file(amounts, name or folder.name, file.size)
    return FolderContent(_most_first(amounts), {})


def _most_first(amounts: dict[str, Amount]) -> dict[str, Amount]:
    return dict(sorted(amounts.items(), key=lambda pair: -pair[1].files))


def _find_fault(item: Item) -> FaultKind | None:
    if item.kind is Kind.FOLDER_LINK and is_hidden(item.name):
        return None
    if item.kind in KINDS:
        return KINDS[item.kind]
    if not is_utf8(item.name):
        return FaultKind.NAME
    if item.name.rpartition("/")[2] == DVCIGNORE:
        return FaultKind.IGNORE_FILE
    return None if os.access(item.path, os.R_OK) else FaultKind.UNREADABLE


def _add(amounts: defaultdict[str, Amount], item: Item) -> None:
    if item.kind is not Kind.FILE:
        amounts[item.kind.value].files += 1
        return
    _add_file(amounts, item.name, os.stat(item.path).st_size)  # noqa: PTH116


def _add_file(amounts: defaultdict[str, Amount], name: str, size: int) -> None:
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122, pathlib takes ten times as long
    amount = amounts[SYSTEM_FILES_KIND if is_hidden(name) else _kind_of(name, suffix)]
    amount.files += 1
    amount.size += size
    amount.suffixes.add(suffix or "no suffix")


def _kind_of(name: str, suffix: str) -> str:
    if is_image(name):
        return "images"
    return "tables and texts" if suffix in TABLES else "archives" if suffix in ARCHIVES else "other files"
