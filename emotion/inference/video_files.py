"""Files that are no video, named before they are opened as one."""

from pathlib import Path

from emotion.core.errors import InputError
from emotion.data.file_formats import HEAD_BYTES, FileFormat, Kind, identify

EXPECTED = "expected a video, such as holiday.mp4"

GIF = b"GIF8"
"""The first bytes of a GIF, which may be animated in ways that its first bytes do not tell."""

MOTION_JPEG_SUFFIXES = (".mjpg", ".mjpeg")
"""Suffixes of files that hold one JPEG image after another."""


VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m2v", ".ts", ".mts", ".m2ts", ".vob"),
    *(".wmv", ".asf", ".flv", ".f4v", ".3gp", ".3g2", ".ogv", ".mxf", ".dv", ".rm", *MOTION_JPEG_SUFFIXES),
)
"""Suffixes of videos. GIF and PNG are left out, since most of them are images."""


def is_video(name: str) -> bool:
    """Return whether a file of this name is a video."""
    return name.lower().endswith(VIDEO_SUFFIXES)


def check_video_file(path: Path) -> None:
    """Refuse a file that is missing, empty, or of a format that is no video.

    Raises:
        InputError: the message names the format, and the command or the step that helps.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist; {EXPECTED}")
    if not path.is_file():
        raise InputError(f"{path} is not a file; {EXPECTED}")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise InputError(f"{path} is empty; {EXPECTED}")
    if head.startswith(GIF) or path.suffix.lower() in MOTION_JPEG_SUFFIXES:
        return
    known = identify(head)
    if known is not None and (way_out := _find_way_out(known, path)):
        raise InputError(f"{path} is {known.name}; {way_out}")


def _find_way_out(known: FileFormat, path: Path) -> str:
    """Return what to do with a file of a known format; nothing if it may be a video."""
    if known.kind is Kind.VIDEO or known.name == "an animated PNG image":
        return ""
    if known.kind is Kind.ANIMATION:
        return f"convert it to .mp4 or .gif first, or read its first frame with `emotion predict {path}`"
    if known.kind is Kind.IMAGE:
        return f"read it with `emotion predict {path}`"
    if known.kind is Kind.UNREAD_IMAGE:
        return f"{known.remedy}, and read that with `emotion predict`"
    return EXPECTED
