"""The image files that a user's names stand for: files, folders with all in them, and patterns."""

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from emotion.ingest.sources.folders import IMAGE_SUFFIXES


class ImageFile(NamedTuple):
    """A file to read, or a name that stands for none.

    Attributes:
        path: the file, beginning as the user named it.
        inner: its path below the folder that the user named; its name where that was the file itself.
        problem: why there is nothing to read; None where there may be.
    """

    path: Path
    inner: Path
    problem: str | None = None


def collect(names: Sequence[str], *, leave_out: Path | None = None) -> list[ImageFile]:
    """Return the files that `names` stand for, each once, in the order of the names and sorted within each.

    A file is taken whatever its suffix; in folders, and folders below them, those with the suffix of an image, less
    hidden ones. A name with `*`, `?` or `[` that is no file is a pattern, where `**` stands for any folders. A name
    that stands for nothing is kept, with its problem.

    Args:
        names: as the user wrote them.
        leave_out: a folder that is not looked into where it lies below another.
    """
    unique: dict[Path, ImageFile] = {}
    for name in names:
        for file in _named(name, leave_out):
            unique.setdefault(file.path.absolute(), file)
    return list(unique.values())


def _named(name: str, leave_out: Path | None) -> Iterator[ImageFile]:
    path = Path(name)
    if name and path.is_dir():
        yield from _within(path, leave_out)
    elif glob.escape(name) == name or path.exists():
        yield ImageFile(path, Path(path.name), None if name else "the name is empty")
    else:
        yield from _matching(name, leave_out)


def _matching(pattern: str, leave_out: Path | None) -> Iterator[ImageFile]:
    # Not Path.glob, which takes no pattern that begins with / and finds hidden files.
    found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
    if not found:
        yield ImageFile(Path(pattern), Path(pattern), "there is no such file, and nothing matches the pattern")
    for name in found:
        if Path(name).is_dir():
            yield from _within(Path(name), leave_out)
        else:
            yield ImageFile(Path(name), Path(Path(name).name))


def _within(top: Path, leave_out: Path | None) -> Iterator[ImageFile]:
    """Give the images in `top` and below; where there are none, or a folder cannot be read, what the problem is."""
    problems: list[OSError] = []
    empty = True
    for root, folders, names in os.walk(top, onerror=problems.append):
        here = Path(root)
        folders[:] = [name for name in sorted(folders) if name[0] != "." and not _same(here / name, leave_out)]
        for name in sorted(names):
            if name[0] != "." and name.lower().endswith(IMAGE_SUFFIXES):
                empty = False
                yield ImageFile(here / name, (here / name).relative_to(top))
    for problem in problems:
        yield ImageFile(Path(problem.filename), Path(), f"the folder cannot be read: {problem.strerror}")
    if empty and not problems:
        yield ImageFile(top, Path(), "there is no image in this folder")


def _same(folder: Path, other: Path | None) -> bool:
    return other is not None and other.exists() and folder.samefile(other)
