"""The image files that the user names: files, folders with all images in them, patterns, and addresses of stores."""

import glob
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from emotion.core.stores import Location, StoreAddress, is_store_address, list_store, parse_address
from emotion.data.images import ImageError, is_image

URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<credentials>[^/?#]*@)?", re.IGNORECASE)
"""The start of a URL."""

STREAMS = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "rtp", "srt", "udp", "tcp", "mms", "hls"})
"""Schemes of URLs that give videos and cameras."""


HIDDEN = re.compile(r"(^|/)\.(?!\./)")
"""The start of the name of a hidden file or folder in a path."""


class ImageFile(NamedTuple):
    """A file to read, or a name without a file.

    Attributes:
        path: the file, in the folder that the user named.
        relative: its path below the folder that the user named. For a file that the user named, it is the file's name.
        problem: why it cannot be read; None where it may be readable.
        size: of a file in a store, in bytes.
        content: of a file in a store that was read, or the reason why it cannot be.
    """

    path: Location
    relative: Path
    problem: str | None = None
    size: int = 0
    content: bytes | ImageError | None = None


def collect_files(names: Sequence[str], *, excluded: Path | None = None) -> list[ImageFile]:
    """Return the files of all `names`, each once, in the order of the names and sorted within each.

    A file that is named may have any suffix. From a folder and the folders below it come the files with the suffix of
    an image, without hidden ones. A name with `*`, `?` or `[` that is no file is a pattern, where `**` stands for any
    folders. A name without a file is kept, with its problem; a URL is kept without its user and password.

    Args:
        names: as the user wrote them.
        excluded: a folder that is left out where it is in another one.

    Raises:
        InputError: a store cannot be used.
    """
    unique: dict[Location, ImageFile] = {}
    for name in names:
        try:
            files = list(_files_of(name, excluded))
        except OSError as error:
            # The other names are read all the same.
            files = [ImageFile(Path(name), Path(Path(name).name), f"it cannot be read: {error.strerror}")]
        for file in files:
            unique.setdefault(file.path.absolute(), file)
    return list(unique.values())


def _files_of(name: str, excluded: Path | None) -> Iterator[ImageFile]:
    if is_store_address(name):
        yield from _files_in_store(parse_address(name))
        return
    path = Path(name)
    url = URL.match(name)
    if name and path.is_dir():
        yield from _files_below(path, excluded)
    elif url and not path.exists():
        shown = Path(name.replace(url["credentials"] or "", "", 1))
        yield ImageFile(shown, shown, _explain_url(url["scheme"].lower()))
    elif glob.escape(name) == name or path.exists():
        yield ImageFile(path, Path(path.name), None if name else "the name is empty")
    else:
        yield from _files_matching(name, excluded)


def _files_in_store(address: StoreAddress) -> Iterator[ImageFile]:
    """Yield the file at an address, or the images below it, or a problem where there is none."""
    files = list_store(address)
    if list(files) == [""]:
        yield ImageFile(address, Path(address.name), size=files[""].size)
        return
    shown = [name for name in files if is_image(name) and not HIDDEN.search(name)]
    for name in shown:
        path = Path(name)
        problem = "its name has the part .., which a file cannot have" if ".." in path.parts else None
        yield ImageFile(address / name, path, problem, files[name].size)
    if not shown:
        yield ImageFile(address, Path(), "there is no image at this address")


def _explain_url(scheme: str) -> str:
    if scheme == "file":
        return "a file is named by its path, such as /home/me/photo.jpg, and not by a URL"
    if scheme in STREAMS:
        return "this is the URL of a stream, and `emotion predict` reads files; read a stream with `emotion video URL`"
    return (
        "this is a URL, and `emotion predict` reads files; download the image and name its file, or read a video with "
        "`emotion video URL`"
    )


def _files_matching(pattern: str, excluded: Path | None) -> Iterator[ImageFile]:
    # Not Path.glob, which takes no pattern that begins with / and finds hidden files.
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
    if not matches:
        yield ImageFile(Path(pattern), Path(pattern), "no file has this name or matches this pattern")
    for name in matches:
        if Path(name).is_dir():
            yield from _files_below(Path(name), excluded)
        else:
            yield ImageFile(Path(name), Path(Path(name).name))


def _files_below(top: Path, excluded: Path | None) -> Iterator[ImageFile]:
    """Yield the images in `top` and below, and a problem where there is no image or a folder cannot be read."""
    problems: list[OSError] = []
    empty = True
    for root, folders, names in os.walk(top, onerror=problems.append):
        here = Path(root)
        folders[:] = [name for name in sorted(folders) if name[0] != "." and not _is_same(here / name, excluded)]
        for name in sorted(names):
            if name[0] != "." and is_image(name):
                empty = False
                yield ImageFile(here / name, (here / name).relative_to(top))
    for problem in problems:
        yield ImageFile(Path(problem.filename), Path(), f"the folder cannot be read: {problem.strerror}")
    if empty and not problems:
        yield ImageFile(top, Path(), "there is no image in this folder")


def _is_same(folder: Path, other: Path | None) -> bool:
    return other is not None and other.exists() and folder.samefile(other)
