"""Trees of files from which images are read by name: a folder, or an archive."""

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol
from zipfile import ZipFile

from emotion.data.images import MAX_FILE_BYTES, ImageError, read_bytes
from emotion.ingest.sources.archives import damage_explained, open_zip, zip_files
from emotion.ingest.sources.system_files import is_hidden

MAX_DEPTH = 8
"""Number of levels of folders that are read. It ends links to a parent folder, which would go on for ever."""


class FileTree(Protocol):
    """A tree of files.

    It is sent to other processes with every batch, so it must be small and picklable.
    """

    @property
    def name(self) -> str:
        """The path of the folder or archive, for messages."""
        ...

    def list(self) -> list[str]:
        """Return the paths of all files relative to the tree, with /, sorted, without system files."""
        ...

    def read(self, file: str) -> bytes:
        """Return the content of a file.

        Raises:
            ImageError: the file cannot be read or is too large.
        """
        ...


class FolderTree(NamedTuple):
    """The files below a folder."""

    folder: Path

    @property
    def name(self) -> str:
        """The path of the folder."""
        return str(self.folder)

    def list(self) -> list[str]:
        """Return the files below the folder; see `FileTree`."""
        return sorted(_walk(str(self.folder), "", MAX_DEPTH))

    def read(self, file: str) -> bytes:
        """Return the content of a file; see `FileTree`."""
        return read_bytes(f"{self.folder}/{file}")


class ZipTree(NamedTuple):
    """The files in a zip."""

    path: Path

    @property
    def name(self) -> str:
        """The path of the zip."""
        return str(self.path)

    def list(self) -> list[str]:
        """Return the files in the zip; see `FileTree`."""
        with open_zip(self.path) as archive:
            return zip_files(archive)

    def read(self, file: str) -> bytes:
        """Return the content of a member; see `FileTree`."""
        archive = _opened_zip(self.path, os.getpid())
        size = archive.getinfo(file).file_size
        if size > MAX_FILE_BYTES:
            raise ImageError(f"the file is larger than {MAX_FILE_BYTES // 2**20} MiB")
        with damage_explained(f"{self.path}: {file}"), archive.open(file) as member:
            return member.read()


@lru_cache(maxsize=1)
def _opened_zip(path: Path, process: int) -> ZipFile:
    """Open a zip once in every process. An open file from the parent process would share its position."""
    return ZipFile(path)


def _walk(root: str, below: str, depth: int) -> Iterator[str]:
    with os.scandir(f"{root}/{below}") as listing:
        items = [item for item in listing if not is_hidden(item.name)]
    yield from (below + item.name for item in items if not item.is_dir())
    if depth:
        for item in items:
            if item.is_dir():
                yield from _walk(root, f"{below}{item.name}/", depth - 1)
