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


class BoundedTar(tarfile.TarFile):
    """A tar whose extended headers are at most MAX_HEADER bytes: all together before a member, and all global ones."""

    before_member = 0
    """Bytes of the extended headers since the last member."""
    in_global = 0
    """Bytes of the global headers, which tarfile keeps for all members."""

    def next(self) -> tarfile.TarInfo | None:
        """Return the next member; None at the end."""
        self.before_member = 0
        return super().next()


class BoundedTarInfo(tarfile.TarInfo):
    """A member of a BoundedTar."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return the member that a header describes, before anything behind the header is read.

        Raises:
            BoundError: it is a sparse file.
            ReadError: the header is damaged.
        """
        try:
            member = super().frombuf(buf, encoding, errors)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            # tarfile would take a damaged header behind the first member for the end.
            raise tarfile.ReadError(str(error)) from None
        if member.type == tarfile.GNUTYPE_SPARSE:
            raise _refuse_sparse(member)
        return member

    def _proc_member(self, tar: BoundedTar) -> tarfile.TarInfo:  # tarfile's name
        """Return the member behind this header, once its size is checked."""
        if self.size < 0:
            raise tarfile.ReadError(f"a size of {self.size}")
        if self.type in EXTENDED:
            tar.before_member += self.size
            tar.in_global += self.size if self.type == tarfile.XGLTYPE else 0
            length = max(tar.before_member, tar.in_global)
            if length > MAX_HEADER:
                raise BoundError(
                    f"has a header of {length:,} bytes, expected at most {MAX_HEADER:,}; do not use this archive"
                )
        member: tarfile.TarInfo = super()._proc_member(tar)  # type: ignore[misc]  # typeshed leaves it out
        return member

    def _proc_gnusparse_00(self, next: tarfile.TarInfo, *_: object) -> None:  # tarfile's name
        """Refuse a sparse file, whose map tarfile would read to any length and with any text in it."""
        raise _refuse_sparse(next)

    _proc_gnusparse_01 = _proc_gnusparse_10 = _proc_gnusparse_00


def _refuse_sparse(member: tarfile.TarInfo) -> BoundError:
    return BoundError(f"holds the sparse file {show(member.name)}; pack it again without --sparse")


def open_tar(file: IO[bytes]) -> tarfile.TarFile:
    r"""Open a plain tar. Bytes of names that are not UTF-8 become escapes such as `\xff`."""
    return BoundedTar.open(fileobj=file, mode="r:", tarinfo=BoundedTarInfo, errors="backslashreplace")


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
