"""Reading of tars: of their members one after the other, or by their places in the file."""

import io
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import IO, Self

from emotion.core.folder_walk import Kind
from emotion.ingest.sources.archives import (
    MAX_HEADER,
    BoundError,
    check_count,
    check_member,
    check_once,
    check_total,
    damage_explained,
    show,
)
from emotion.ingest.sources.shared_file import SharedFile
from emotion.ingest.sources.system_files import SYSTEM_FILES_KIND, is_hidden

EXTENDED = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
"""Types of members whose content tarfile reads into memory: it describes the next member."""


class BoundedTarInfo(tarfile.TarInfo):
    """A member of a tar whose extended headers are at most MAX_HEADER bytes."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return the member that a header describes, before anything behind the header is read.

        Raises:
            BoundError: the header announces a longer one, or a sparse file.
        """
        member = super().frombuf(buf, encoding, errors)
        if member.type in EXTENDED and member.size > MAX_HEADER:
            raise BoundError(
                f"has a header of {member.size:,} bytes, expected at most {MAX_HEADER:,}; do not use this archive"
            )
        if member.type == tarfile.GNUTYPE_SPARSE:
            raise BoundError(f"holds the sparse file {show(member.name)}; pack it again without --sparse")
        return member

    def _proc_gnusparse_10(self, next: tarfile.TarInfo, *_: object) -> None:  # tarfile's name
        """Refuse a sparse file of the third form, whose map tarfile would read to any length."""
        raise BoundError(f"holds the sparse file {show(next.name)}; pack it again without --sparse")


def open_tar(file: IO[bytes]) -> tarfile.TarFile:
    r"""Open a plain tar. Bytes of names that are not UTF-8 become escapes such as `\xff`."""
    return tarfile.open(fileobj=file, mode="r:", tarinfo=BoundedTarInfo, errors="backslashreplace")


def tar_files(tar: tarfile.TarFile, archive: str, skipped: "Counter[str]") -> Iterator[tuple[str, tarfile.TarInfo]]:
    """Yield the files of a tar, each with its path, without system files. Count in `skipped` what is left out.

    Raises:
        InputError: a member has a path outside the archive or is a link; or there are more than MAX_MEMBERS, or more
            than MAX_TOTAL_BYTES in them.
    """
    total = count = 0
    while member := tar.next():
        # tarfile would keep every member.
        tar.members.clear()  # type: ignore[attr-defined]  # typeshed leaves the attribute out
        check_member(archive, member.name, is_link=member.issym() or member.islnk())
        total += member.size
        count += 1
        check_total(archive, total)
        check_count(archive, count)
        path = member.name.removeprefix("./")
        if member.isdir():
            continue
        if is_hidden(path):
            skipped[SYSTEM_FILES_KIND] += 1
        elif member.isfile() and not member.issparse():
            yield path, member
        else:
            skipped[Kind.SPECIAL.value] += 1


class TarArchive:
    """The files in a plain tar, read by their places in it.

    Args:
        name: of the tar, for messages.
        file: the tar.

    Raises:
        InputError: the tar is damaged or too large, a member is unsafe, or a name comes more than once.
    """

    def __init__(self, name: str, file: SharedFile) -> None:
        self.name = name
        self._file = file
        self._places: dict[str, tuple[int, int]] = {}
        skipped: Counter[str] = Counter()
        found = []
        with damage_explained(name), open_tar(io.BufferedReader(file)) as tar:
            for path, member in tar_files(tar, name, skipped):
                found.append(path)
                self._places[path] = (member.offset_data, member.size)
        check_once(name, found)
        self.skipped: Mapping[str, int] = skipped

    def list(self) -> list[str]:
        """Return the names of the files, sorted, without system files."""
        return sorted(self._places)

    def size(self, file: str) -> int:
        """Return the size of a file in bytes."""
        return self._places[file][1]

    def open(self, file: str) -> IO[bytes]:
        """Open a file."""
        return io.BufferedReader(self._file.part(*self._places[file]))
