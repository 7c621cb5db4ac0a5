"""Reading archives without unpacking them to disk, and refusing those that are damaged or play tricks."""

import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from emotion.core.errors import InputError

MAX_TOTAL_BYTES = 8 * 2**30
"""An archive that unpacks to more than this is refused."""

SYSTEM_FILES = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})

BLOCK = 2**20
"""Bytes that are read at a time."""

GZIP_FORMAT = 31
"""zlib's number for a gzip header and its largest window."""


class Readable(Protocol):
    """Anything with a file's read method."""

    def read(self, size: int, /) -> bytes: ...


def is_hidden(name: str) -> bool:
    """Return whether a path within a source is one that systems add by themselves, such as __MACOSX/._a.jpg."""
    return "/." in "/" + name or not SYSTEM_FILES.isdisjoint(name.split("/"))


def check_member_name(archive: str, name: str) -> None:
    """Raise InputError where the member `name` would lie outside of the folder it were unpacked to."""
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or re.match(r"[A-Za-z]:", name):
        raise InputError(f"{archive}: the member {name!r} climbs out of its folder; do not use this archive")


@contextmanager
def damage_explained(archive: str) -> Iterator[None]:
    """Turn the errors of a truncated or damaged archive into an InputError that names it."""
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as error:
        raise InputError(f"{archive} is damaged or not complete ({error}); download it again") from None
    except OSError as error:
        raise InputError(f"{archive} cannot be read: {error.strerror}") from None
    except (NotImplementedError, RuntimeError) as error:
        raise InputError(f"{archive} cannot be unpacked: {error}") from None


def blocks_of(file: Readable) -> Iterator[bytes]:
    """Read `file` to its end, BLOCK bytes at a time."""
    while block := file.read(BLOCK):
        yield block


def gunzip(blocks: Iterator[bytes], archive: str) -> Iterator[bytes]:
    """Unpack gzip data, checking its checksum and that it is complete.

    zlib lets other Python threads run while it works on a block, which gzip.open, reading a few kilobytes at a
    time, would not do for long enough to gain anything.
    """
    total = 0
    unpacker = zlib.decompressobj(GZIP_FORMAT)
    for packed in blocks:
        while packed:
            if unpacker.eof:
                if not packed.strip(b"\0"):
                    break
                unpacker = zlib.decompressobj(GZIP_FORMAT)
            block = unpacker.decompress(packed, 8 * BLOCK)
            total += len(block)
            if total > MAX_TOTAL_BYTES:
                raise InputError(f"{archive} unpacks to more than {MAX_TOTAL_BYTES // 2**30} GiB")
            if block:
                yield block
            packed = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    if not unpacker.eof:
        raise EOFError("its end is missing")


class BlockReader:
    """A file's read method over an iterator of blocks."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._block = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes, or fewer at the end."""
        parts = []
        while size:
            if not self._block:
                self._block = memoryview(next(self._blocks, b""))
                if not self._block:
                    break
            part = self._block[:size]
            self._block = self._block[len(part) :]
            size -= len(part)
            parts.append(part)
        return b"".join(parts)


def tar_members(file: Readable, archive: str) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Give the names and contents of a tar stream's files; a content must be read before the next is asked for.

    Raises:
        InputError: a member climbs out of its folder, is a link, or the files add up to more than MAX_TOTAL_BYTES.
    """
    total = 0
    # mode "r|" reads forwards only, as a stream that is being unpacked must be read.
    with tarfile.open(fileobj=file, mode="r|", bufsize=BLOCK) as tar:  # type: ignore[call-overload]
        for member in tar:
            check_member_name(archive, member.name)
            if member.issym() or member.islnk():
                raise InputError(f"{archive}: the member {member.name!r} is a link; pack the files themselves")
            total += member.size
            if total > MAX_TOTAL_BYTES:
                raise InputError(f"{archive} unpacks to more than {MAX_TOTAL_BYTES // 2**30} GiB")
            content = tar.extractfile(member)
            if content is not None and not is_hidden(member.name):
                yield member.name, blocks_of(content)


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open the zip at `path`; InputError where it is damaged or a member of it is not as it should be."""
    with damage_explained(str(path)):
        archive = zipfile.ZipFile(path)
    for member in archive.infolist():
        check_member_name(str(path), member.filename)
        if stat.S_ISLNK(member.external_attr >> 16):
            raise InputError(f"{path}: the member {member.filename!r} is a link; pack the files themselves")
        if member.flag_bits & 1:
            raise InputError(f"{path}: the member {member.filename!r} is encrypted; pack it without a password")
    if sum(member.file_size for member in archive.infolist()) > MAX_TOTAL_BYTES:
        raise InputError(f"{path} unpacks to more than {MAX_TOTAL_BYTES // 2**30} GiB")
    return archive


def zip_files(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of the files in `archive`, sorted, without those that systems add by themselves."""
    return sorted(
        member.filename for member in archive.infolist() if not member.is_dir() and not is_hidden(member.filename)
    )


def open_member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Open a member of a zip. Reading it gives at most the size that the zip's directory declares."""
    return archive.open(name)
