"""Files that several processes read at a time, and temporary ones for what is unpacked."""

import errno
import io
import os
import tempfile
from pathlib import Path
from typing import IO

from emotion.core.errors import InputError
from emotion.ingest.sources.archives import check_total, damage_explained

BUFFER = 2**20
"""Bytes that are read at a time."""


class SharedFile(io.RawIOBase):
    """A regular file, or a part of one, that has no common position.

    Forked processes share the position of an open file, so every read here states where it begins.

    Args:
        file: the open file. It stays open as long as this object.
        start: position of the part's first byte.
        size: of the part in bytes; None for the rest of the file.
    """

    def __init__(self, file: IO[bytes], start: int = 0, size: int | None = None) -> None:
        super().__init__()
        self._file = file
        self._start = start
        self._size = os.fstat(file.fileno()).st_size - start if size is None else size
        self._position = 0

    def part(self, start: int, size: int) -> "SharedFile":
        """Return `size` bytes of this file from `start` on, as a further file."""
        return SharedFile(self._file, self._start + start, min(size, self._size - start))

    def whole(self) -> "SharedFile":
        """Return this file as a further file, at its start."""
        return self.part(0, self._size)

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position; see `io.IOBase.seek`."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]  # typeshed: any buffer
        """Fill `buffer` with the next bytes, and return their number."""
        wanted = max(0, min(len(buffer), self._size - self._position))
        data = os.pread(self._file.fileno(), wanted, self._start + self._position)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def open_shared(path: Path) -> SharedFile:
    """Open the file at `path`.

    Raises:
        InputError: it cannot be read.
    """
    with damage_explained(str(path)):
        return SharedFile(path.open("rb", buffering=0))


def unpack(packed: IO[bytes], name: str) -> SharedFile:
    """Return the content of `packed` as a temporary file, which has no name and goes when it is closed.

    Args:
        packed: the unpacking reader.
        name: of what is unpacked, for messages.

    Raises:
        InputError: it is damaged or too large, or there is no space for it.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as the returned object
    total = 0
    with damage_explained(name):
        while block := packed.read(BUFFER):
            total += len(block)
            check_total(name, total)
            _write(file, block, name)
    return SharedFile(file)


def _write(file: IO[bytes], block: bytes, name: str) -> None:
    try:
        _write_block(file, block)
    except OSError as error:
        raise InputError(
            f"{name} cannot be unpacked to {tempfile.gettempdir()} ({error.strerror}); make space there, or set TMPDIR "
            "to a folder on a larger disk"
        ) from None


def _write_block(file: IO[bytes], block: bytes) -> None:
    file.write(block)
    file.flush()
