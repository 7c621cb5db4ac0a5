"""Bounds of archives, the safety of their members, and messages about damage."""

import errno
import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from emotion.core.errors import InputError

MAX_TOTAL_BYTES = 8 * 2**30
"""Archives that unpack to more bytes than this are refused."""

MAX_MEMBERS = 2_000_000
"""Archives with more members than this are refused."""

MAX_HEADER = 2**20
"""Largest extended header of a member of a tar, in bytes."""

MAX_NAME = 4096
"""Characters of the longest path of a member, as in the paths of Linux. All names are in memory at a time."""

LONGEST_SHOWN = 120
"""Characters of a member's name that a message shows."""


class BoundError(tarfile.TarError):
    """A member is more than is read. The message goes on where the name of the archive ends."""


@contextmanager
def damage_explained(archive: str) -> Iterator[None]:
    """Turn the errors of a truncated or damaged archive into an InputError that names it."""
    try:
        yield
    except BoundError as error:
        raise InputError(f"{archive} {error}") from None
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise InputError(f"{archive} is damaged or not complete ({error}); download it again") from None
    except InputError:
        raise
    except ValueError as error:
        # Numbers and names in headers that are none, also for Python: offsets of 2**64, names that are not UTF-8.
        raise InputError(f"{archive} is damaged or not complete ({error}); download it again") from None
    except OSError as error:
        # bz2 raises OSError without a number for damaged data, and SharedFile EINVAL for positions outside the file.
        if error.errno in (None, errno.EINVAL):
            raise InputError(f"{archive} is damaged or not complete ({error}); download it again") from None
        raise InputError(f"{archive} cannot be read ({error.strerror}); check the file and its permissions") from None
    except (NotImplementedError, RuntimeError) as error:
        raise InputError(f"{archive} cannot be unpacked ({error}); pack it again as a plain zip or tar.gz") from None


def check_member(archive: str, name: str, *, is_link: bool) -> None:
    """Raise InputError where the member `name` is a link, is too long or has a path outside the archive."""
    if len(name) > MAX_NAME:
        raise InputError(
            f"{archive}: the name {show(name)} has {len(name):,} characters, expected at most {MAX_NAME:,}; do not use "
            "this archive"
        )
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or re.match(r"[A-Za-z]:", name):
        raise InputError(
            f"{archive}: the member {show(name)} has a path outside the archive, which is unsafe; do not use this "
            "archive"
        )
    if is_link:
        raise InputError(f"{archive}: the member {show(name)} is a link; pack the files themselves")


def check_total(archive: str, size: int) -> None:
    """Raise InputError where an archive unpacks to more than MAX_TOTAL_BYTES."""
    if size > MAX_TOTAL_BYTES:
        raise InputError(
            f"{archive} unpacks to more than {MAX_TOTAL_BYTES / 2**30:.3g} GiB, the most allowed; use a smaller archive"
        )


def check_count(archive: str, members: int) -> None:
    """Raise InputError where an archive has more than MAX_MEMBERS."""
    if members > MAX_MEMBERS:
        raise InputError(f"{archive} has more than {MAX_MEMBERS:,} members, the most allowed; use a smaller archive")


def check_once(archive: str, names: Iterable[str]) -> None:
    """Raise InputError where a file comes more than once, since only its last content would be read."""
    repeated = [(name, count) for name, count in Counter(names).items() if count > 1]
    if repeated:
        shown = ", ".join(f"{show(name)} {count} times" for name, count in repeated[:5])
        more = f" and {len(repeated) - 5:,} more" if len(repeated) > 5 else ""
        raise InputError(
            f"{archive} holds {shown}{more}, expected each name once; pack it again with another name for each file"
        )


def show(name: str) -> str:
    """Return the name of a member for messages: in quotation marks, shortened, and without signs of control."""
    return repr(name if len(name) <= LONGEST_SHOWN else name[:LONGEST_SHOWN] + "…")
