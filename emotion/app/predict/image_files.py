"""The image files that the user names: files, folders with all images in them, patterns, and addresses of stores."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from emotion.app.named_files import FileKind, NamedFile, collect_named_files
from emotion.app.predict.stored_files import ImageFile, list_images
from emotion.core.stores import Location, is_store_address, parse_address
from emotion.data.images import is_image

URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<credentials>[^/?#]*@)?", re.IGNORECASE)
"""The start of a URL."""

STREAMS = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "rtp", "srt", "udp", "tcp", "mms", "hls"})
"""Schemes of URLs that give videos and cameras."""


def collect_files(names: Sequence[str], *, excluded: Path | None = None) -> list[ImageFile]:
    """Return the images of all `names`, as `collect_named_files` does, and those of stores in the same order.

    A URL is kept without its user and password.

    Raises:
        InputError: a store cannot be used.
    """
    unique: dict[Location, ImageFile] = {}
    for name in names:
        for file in _files_of(name, excluded):
            unique.setdefault(file.path.absolute(), file)
    return list(unique.values())


def _files_of(name: str, excluded: Path | None) -> Iterable[ImageFile]:
    if is_store_address(name):
        return list_images(parse_address(name))
    return collect_named_files([name], FileKind("image", is_image, _find_url), excluded=excluded)


def _find_url(name: str) -> NamedFile | None:
    url = URL.match(name)
    if url is None or Path(name).exists():
        return None
    shown = Path(name.replace(url["credentials"] or "", "", 1))
    return NamedFile(shown, shown, _explain_url(url["scheme"].lower()))


def _explain_url(scheme: str) -> str:
    if scheme == "file":
        return "a file is named by its path, such as /home/me/photo.jpg, and not by a URL"
    if scheme in STREAMS:
        return "this is the URL of a stream, and `emotion predict` reads files; read a stream with `emotion video URL`"
    return (
        "this is a URL, and `emotion predict` reads files; download the image and name its file, or read a video with "
        "`emotion video URL`"
    )
