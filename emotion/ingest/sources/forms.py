"""The form of a file that may be a source. Its content tells it, and its name does not count."""

import stat
import tarfile
from enum import Enum
from pathlib import Path

from emotion.core.errors import InputError
from emotion.data.file_formats import HEAD_BYTES, Kind, identify


class Form(Enum):
    """A form in which a file holds images."""

    ZIP = "a zip"
    TAR = "a tar"
    GZIP = "a gzip file"
    BZIP2 = "a bzip2 file"
    XZ = "an xz file"
    PARQUET = "a Parquet table"
    TEXT = "a text"


COMPRESSED = frozenset({Form.GZIP, Form.BZIP2, Form.XZ})
"""Forms that hold one file, often a tar."""

MARKS = (
    (b"PK\3\4", Form.ZIP),
    (b"PK\5\6", Form.ZIP),
    (b"\x1f\x8b", Form.GZIP),
    (b"BZh", Form.BZIP2),
    (b"\xfd7zXZ\0", Form.XZ),
    (b"PAR1", Form.PARQUET),
)
"""The first bytes of the forms that have some."""

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

EXPECTED = "a zip, a tar (also compressed), or a CSV or Parquet table"

WAYS_OUT = {
    Kind.IMAGE: "put images into a folder per emotion, or name their emotions in a manifest",
    Kind.ANIMATION: "put images into a folder per emotion, or name their emotions in a manifest",
    Kind.VIDEO: "save its images first, in a folder per emotion",
}
"""The remedy by the use of a file, where that of its format serves a single image only."""

WEB_PAGE = "a web page (HTML)"


def find_form(head: bytes) -> Form | None:
    """Return the form of a file; None for one that is no source.

    Args:
        head: the first HEAD_BYTES of the file, or the whole of a shorter one.
    """
    for mark, form in MARKS:
        if head.startswith(mark):
            return form
    if _is_tar(head):
        return Form.TAR
    return Form.TEXT if _is_text(head) else None


def read_head(path: Path) -> bytes:
    """Return the first HEAD_BYTES of the file at `path`. Pipes and devices are never opened.

    Raises:
        InputError: it is no regular file, or cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path} is {_name_special(path)}, expected a file; remove it, or set source.file")
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from None


def refuse_form(name: str, head: bytes) -> InputError:
    """Return the refusal of a file that is no source: what it is, what was expected, and the way out.

    Args:
        name: of the file, for the message.
        head: as for `find_form`.
    """
    known = identify(head)
    if not head:
        actual, remedy = "an empty file", "download it again"
    elif known is None:
        actual, remedy = "a file of an unknown format", "save the images in a folder per emotion, or as a CSV table"
    else:
        actual, remedy = known.name, WAYS_OUT.get(known.kind, known.remedy)
    if actual == WEB_PAGE:
        remedy = "the site asks for a login or a consent: download it again from your browser"
    return InputError(f"{name} is {actual}, expected {EXPECTED}; {remedy}")


def _name_special(path: Path) -> str:
    mode = path.stat().st_mode
    if stat.S_ISFIFO(mode):
        return "a named pipe"
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def _is_tar(head: bytes) -> bool:
    """Return whether the file begins with a header of tar, whose checksum is right; very old ones have no mark."""
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "replace")
    except tarfile.HeaderError:
        return head[257:262] == b"ustar"
    return True


def _is_text(head: bytes) -> bool:
    """Return whether the bytes are those of a text in UTF-8, UTF-16 or a code page, and of no page or drawing."""
    if not head or identify(head) is not None:
        return False
    return head.startswith(UTF16_MARKS) or b"\0" not in head or _has_plain_start(head)


def _has_plain_start(head: bytes) -> bool:
    """Return whether the first line is plain ASCII, as in a table of which a row holds zeros by damage."""
    line = head.partition(b"\n")[0].strip()
    return bool(line) and len(line) < len(head) and line.isascii() and line.decode("ascii").isprintable()
