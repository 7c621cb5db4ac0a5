"""Reading of zips, without unpacking them to disk."""

import io
import stat
import zipfile
from collections import Counter
from collections.abc import Mapping
from typing import IO

from emotion.core.errors import InputError
from emotion.ingest.sources.archives import (
    check_count,
    check_member,
    check_once,
    check_total,
    damage_explained,
    show,
)
from emotion.ingest.sources.shared_file import SharedFile
from emotion.ingest.sources.system_files import SYSTEM_FILES_KIND, is_hidden


class ZipArchive:
    """The files in a zip. A backslash in a name counts as a /, as old programs for Windows write it.

    Args:
        name: of the zip, for messages.
        file: the zip.

    Raises:
        InputError: the zip is damaged, too large or encrypted, a member is unsafe, or a name comes more than once.
    """

    def __init__(self, name: str, file: SharedFile) -> None:
        self.name = name
        self._members: dict[str, zipfile.ZipInfo] = {}
        skipped: Counter[str] = Counter()
        with damage_explained(name):
            self._zip = zipfile.ZipFile(io.BufferedReader(file))
        members = self._zip.infolist()
        check_count(name, len(members))
        check_total(name, sum(member.file_size for member in members))
        found = []
        for member in members:
            path = member.filename.replace("\\", "/")
            check_member(name, path, is_link=stat.S_ISLNK(member.external_attr >> 16))
            if member.flag_bits & 1:
                raise InputError(f"{name}: the member {show(path)} is encrypted; pack it without a password")
            if path.endswith("/"):
                continue
            path = path.removeprefix("./")
            if is_hidden(path):
                skipped[SYSTEM_FILES_KIND] += 1
            else:
                found.append(path)
                self._members[path] = member
        check_once(name, found)
        self.skipped: Mapping[str, int] = skipped

    def list(self) -> list[str]:
        """Return the names of the files, sorted, without system files."""
        return sorted(self._members)

    def size(self, file: str) -> int:
        """Return the size of a file in bytes."""
        return self._members[file].file_size

    def open(self, file: str) -> IO[bytes]:
        """Open a file."""
        # zipfile reads no more of a member than the size in the zip's directory.
        return self._zip.open(self._members[file])
