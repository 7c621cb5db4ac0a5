"""The files that the user names: files, folders with all files of a kind in them, and patterns."""

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from emotion.inference.stream_address import is_address


class NamedFile(NamedTuple):
    """A file to read, or a name without a file.

    Attributes:
        path: the file, in the folder that the user named.
        relative: its path below the folder that the user named. For a file that the user named, it is the file's name.
        problem: why it cannot be read; None where it may be readable.
    """

    path: Path
    relative: Path
    problem: str | None = None


@dataclass(frozen=True)
class FileKind:
    """A kind of files that a command reads.

    Attributes:
        name: what one of them is called, such as `image`.
        is_wanted: returns whether a file of this name in a folder is one.
        find_url: returns the entry for a name that is a URL; None for other names.
    """

    name: str
    is_wanted: Callable[[str], bool]
    find_url: Callable[[str], NamedFile | None] = lambda name: None


def collect_named_files(names: Sequence[str], kind: FileKind, *, excluded: Path | None = None) -> list[NamedFile]:
    """Return the files of all `names`, each once, in the order of the names and sorted within each.

    A file that is named may have any suffix. From a folder and the folders below it come the files of the kind, without
    hidden ones. A name with `*`, `?` or `[` that is no file is a pattern, where `**` stands for any folders. A name
    without a file is kept, with its problem.

    Args:
        names: as the user wrote them.
        kind: which files of a folder are taken.
        excluded: a folder that is left out where it is in another one.
    """
    unique: dict[Path, NamedFile] = {}
    for name in names:
        try:
            files = list(_files_of(name, kind, excluded))
        except OSError as error:
            # The other names are read all the same.
            files = [NamedFile(Path(name), Path(Path(name).name), f"it cannot be read: {error.strerror}")]
        for file in files:
            unique.setdefault(file.path.absolute(), file)
    return list(unique.values())


def is_one_file(names: Sequence[str]) -> bool:
    """Return whether `names` is a single one that names a file or a stream, and no folder or pattern."""
    if len(names) > 1:
        return False
    return is_address(names[0]) or not (os.path.isdir(names[0]) or _is_pattern(names[0]))  # noqa: PTH112


def _is_pattern(name: str) -> bool:
    # A name may be longer than a file's may be, for which Path.exists raises.
    return glob.escape(name) != name and not os.path.exists(name)  # noqa: PTH110


def _files_of(name: str, kind: FileKind, excluded: Path | None) -> Iterator[NamedFile]:
    path = Path(name)
    if name and path.is_dir():
        yield from _files_below(path, kind, excluded)
    elif url := kind.find_url(name):
        yield url
    elif not _is_pattern(name):
        yield NamedFile(path, Path(path.name), None if name else "the name is empty")
    else:
        yield from _files_matching(name, kind, excluded)


def _files_matching(pattern: str, kind: FileKind, excluded: Path | None) -> Iterator[NamedFile]:
    # Not Path.glob, which takes no pattern that begins with / and finds hidden files.
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
    if not matches:
        yield NamedFile(Path(pattern), Path(pattern), "no file has this name or matches this pattern")
    for name in matches:
        if Path(name).is_dir():
            yield from _files_below(Path(name), kind, excluded)
        else:
            yield NamedFile(Path(name), Path(Path(name).name))


def _files_below(top: Path, kind: FileKind, excluded: Path | None) -> Iterator[NamedFile]:
    """Yield the files of the kind in `top` and below, and a problem where there is none or a folder cannot be read."""
    problems: list[OSError] = []
    empty = True
    for root, folders, names in os.walk(top, onerror=problems.append):
        here = Path(root)
        folders[:] = [name for name in sorted(folders) if name[0] != "." and not _is_same(here / name, excluded)]
        for name in sorted(names):
            if name[0] != "." and kind.is_wanted(name):
                empty = False
                yield NamedFile(here / name, (here / name).relative_to(top))
    for problem in problems:
        yield NamedFile(Path(problem.filename), Path(), f"the folder cannot be read: {problem.strerror}")
    if empty and not problems:
        yield NamedFile(top, Path(), f"there is no {kind.name} in this folder")


def _is_same(folder: Path, other: Path | None) -> bool:
    return other is not None and other.exists() and folder.samefile(other)
