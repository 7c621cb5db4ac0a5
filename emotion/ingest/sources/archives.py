"""Reading of archives without unpacking them to disk. Damaged and unsafe archives are refused."""

import gzip
import io
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

from emotion.core.errors import InputError
from emotion.ingest.sources.system_files import is_hidden

FER2013_FILES = ("fer2013.csv", "icml_face_data.csv")
"""Names of the CSV files to read where an archive holds several."""

MAX_TOTAL_BYTES = 8 * 2**30
"""Archives that unpack to more bytes than this are refused."""

BUFFER = 2**20
"""Bytes that are read at a time."""


@contextmanager
def damage_explained(archive: str) -> Iterator[None]:
    """Turn the errors of a truncated or damaged archive into an InputError that names it."""
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise InputError(f"{archive} is damaged or not complete ({error}); download it again") from None
    except OSError as error:
        raise InputError(f"{archive} cannot be read ({error.strerror}); check the file and its permissions") from None
    except (NotImplementedError, RuntimeError) as error:
        raise InputError(f"{archive} cannot be unpacked ({error}); pack it again as a plain zip or tar.gz") from None


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open the zip at `path`.

    Raises:
        InputError: the zip is damaged, too large or encrypted, or a member is unsafe.
    """
    with damage_explained(str(path)):
        archive = zipfile.ZipFile(path)
    for member in archive.infolist():
        _check_member(str(path), member.filename, is_link=stat.S_ISLNK(member.external_attr >> 16))
        if member.flag_bits & 1:
            raise InputError(f"{path}: the member {member.filename!r} is encrypted; pack it without a password")
    _check_total(str(path), sum(member.file_size for member in archive.infolist()))
    return archive


def zip_files(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of the files in `archive`, sorted, without system files."""
    return sorted(
        member.filename for member in archive.infolist() if not member.is_dir() and not is_hidden(member.filename)
    )


@contextmanager
def open_csv(path: Path) -> Iterator[IO[bytes]]:
    """Open the CSV file at `path`, or the CSV file inside a zip, tar, tar.gz or gz.

    At the end of the block the rest of the archive is read, so that a damaged end is noticed.

    Raises:
        InputError: the archive is damaged or unsafe, holds no CSV file, or holds several without a name of FER2013.
    """
    with damage_explained(str(path)):
        if path.name.lower().endswith(".zip"):
            with open_zip(path) as archive:
                member = choose_member(str(path), zip_files(archive))
                # zipfile reads no more of a member than the size in the zip's directory.
                with archive.open(member) as file, _unpacked(file, member, f"{path}: {member}") as table:
                    yield table
        else:
            with path.open("rb") as file, _unpacked(file, path.name, str(path)) as table:
                yield table


def choose_member(archive: str, names: Sequence[str]) -> str:
    """Return the file to read: FER2013's CSV file, or else the only CSV file, or else the only tar.gz.

    Raises:
        InputError: there is no such file, or more than one.
    """
    tables = [name for name in names if _is_csv(name)]
    known = [name for name in tables if _is_fer2013(name)]
    packed = [name for name in names if name.lower().endswith((".tar.gz", ".tgz"))]
    for candidates in (known, tables, packed):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise InputError(
                f"{archive} holds several tables: {', '.join(candidates)}, expected one; unpack the one to read"
            )
    raise InputError(
        f"{archive} holds neither a CSV file nor class folders; found {', '.join(names[:12]) or 'no files at all'}; "
        "use an archive of FER2013, or of a folder per emotion"
    )


class _LimitedGzip(gzip.GzipFile):
    """A gzip file that raises InputError after MAX_TOTAL_BYTES unpacked bytes."""

    def __init__(self, file: IO[bytes], archive: str) -> None:
        super().__init__(fileobj=file)
        self._archive = archive

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        _check_total(self._archive, self.tell())
        return data


@contextmanager
def _unpacked(file: Any, name: str, described: str) -> Iterator[io.BufferedReader]:
    """Open the CSV file inside `file`. The suffix of `name` is the format of the archive."""
    is_gzip = name.lower().endswith((".gz", ".tgz"))
    is_tar = name.lower().endswith((".tar", ".tar.gz", ".tgz"))
    with _LimitedGzip(file, described) if is_gzip else nullcontext(file) as unpacked:
        with _csv_in_tar(unpacked, described) if is_tar else nullcontext(unpacked) as table:
            reader = io.BufferedReader(table, BUFFER)
            yield reader
        while unpacked.read(BUFFER):
            pass


@contextmanager
def _csv_in_tar(file: Any, archive: str) -> Iterator[Any]:
    """Open the first CSV file of a tar. Where there are several, the first must have a name of FER2013."""
    with tarfile.open(fileobj=file, mode="r:") as tar:
        members = _tar_files(tar, archive)
        names = []
        for member in members:
            names.append(member.name)
            if _is_csv(member.name):
                yield tar.extractfile(member)
                break
        names += [member.name for member in members]
    tables = [name for name in names if _is_csv(name)]
    if not tables or (len(tables) > 1 and not _is_fer2013(tables[0])):
        chosen = choose_member(archive, names)
        raise InputError(
            f"{archive}: {chosen} is not the first table in it, expected it first; unpack it and use {chosen} as the "
            "source"
        )


def _tar_files(tar: tarfile.TarFile, archive: str) -> Iterator[tarfile.TarInfo]:
    """Yield the files of a tar, without system files.

    Raises:
        InputError: a member has a path outside the archive or is a link, or the files have more than MAX_TOTAL_BYTES.
    """
    total = 0
    for member in tar:
        _check_member(archive, member.name, is_link=member.issym() or member.islnk())
        total += member.size
        _check_total(archive, total)
        if member.isfile() and not is_hidden(member.name):
            yield member


def _check_member(archive: str, name: str, *, is_link: bool) -> None:
    """Raise InputError where the member `name` is a link or has a path outside the archive."""
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or re.match(r"[A-Za-z]:", name):
        raise InputError(
            f"{archive}: the member {name!r} has a path outside the archive, which is unsafe; do not use this archive"
        )
    if is_link:
        raise InputError(f"{archive}: the member {name!r} is a link; pack the files themselves")


def _check_total(archive: str, size: int) -> None:
    if size > MAX_TOTAL_BYTES:
        raise InputError(
            f"{archive} unpacks to more than {MAX_TOTAL_BYTES // 2**30} GiB, the most allowed; use a smaller archive"
        )


def _is_csv(name: str) -> bool:
    return name.lower().endswith(".csv")


def _is_fer2013(name: str) -> bool:
    return name.split("/")[-1].lower() in FER2013_FILES
