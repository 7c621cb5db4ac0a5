"""Names of file formats by the first bytes of a file, and the way out where `decode` does not read one.

No name of a file is looked at, since names are often wrong. Nothing is decoded.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from emotion.data.tiff_header import is_camera_raw, read_tags

HEAD_BYTES = 4096
"""The number of bytes at the start of a file from which `identify` knows all formats but some camera raws."""

TEXT_BYTES = 1024
"""The number of bytes in which a text shows that it is a page or a drawing."""


class Kind(Enum):
    """The use that a file has.

    Attributes:
        IMAGE: an image that `emotion.data.images.decode` reads, HEIC where pillow-heif is installed.
        ANIMATION: such an image with several frames, of which `decode` reads the first.
        UNREAD_IMAGE: an image of a format that `decode` does not read.
        VIDEO: moving images for `emotion video`; whether it reads them shows when it opens them.
        SOUND: sound without images.
        OTHER: a document, an archive or a text.
    """

    IMAGE = auto()
    ANIMATION = auto()
    UNREAD_IMAGE = auto()
    VIDEO = auto()
    SOUND = auto()
    OTHER = auto()


class FileFormat(NamedTuple):
    """A known format of files.

    Attributes:
        name: its name with an article, such as `a video (MP4)` or `an animated WebP image`.
        kind: the use that it has.
        remedy: a step that gives an image, where `decode` does not read it; else empty.
    """

    name: str
    kind: Kind
    remedy: str = ""


def identify(head: bytes) -> FileFormat | None:
    """Return the format of a file, or None where it is not known.

    Args:
        head: the first bytes of the file: HEAD_BYTES or more, or the whole file.
    """
    in_boxes = _find_by_boxes(head)
    if in_boxes:
        return in_boxes
    for offset, mark, known in SIGNATURES:
        if head.startswith(mark, offset):
            return known
    for signature, find in CONTAINERS:
        if head.startswith(signature):
            return find(head)
    return _find_transport_stream(head) or _find_text(head)


def _image(name: str) -> FileFormat:
    return FileFormat(name, Kind.IMAGE)


def _animation(name: str) -> FileFormat:
    return FileFormat(f"an animated {name} image", Kind.ANIMATION)


def _video(name: str) -> FileFormat:
    return FileFormat(f"a video ({name})", Kind.VIDEO, "read it with `emotion video FILE`")


def _sound(name: str) -> FileFormat:
    return FileFormat(f"a sound file ({name})", Kind.SOUND, "choose an image")


def _unread(name: str) -> FileFormat:
    return FileFormat(name, Kind.UNREAD_IMAGE, "save it as PNG or JPEG first")


def _raw(name: str) -> FileFormat:
    remedy = "convert it to JPEG or TIFF first, in the camera or with a raw converter"
    return FileFormat(f"a camera raw file ({name})", Kind.UNREAD_IMAGE, remedy)


def _archive(name: str) -> FileFormat:
    return FileFormat(f"an archive ({name})", Kind.OTHER, "unpack it first")


def _data(name: str) -> FileFormat:
    return FileFormat(name, Kind.OTHER, "save its images as PNG or JPEG first")


HEIC, AVIF = _image("a HEIC image"), _image("an AVIF image")

SIGNATURES = (
    (0, b"\xff\xd8\xff", _image("a JPEG image")),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", _image("a JPEG 2000 image")),
    (0, b"\xff\x4f\xff\x51", _image("a JPEG 2000 image")),
    (0, b"8BPS", _unread("a Photoshop document (PSD)")),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", _unread("a JPEG XL image")),
    (0, b"\xff\x0a", _unread("a JPEG XL image")),
    (0, b"\0\0\1\0", _unread("a Windows icon (ICO)")),
    (0, b"\x76\x2f\x31\x01", _unread("an OpenEXR image")),
    (0, b"#?RADIANCE", _unread("a Radiance HDR image")),
    (0, b"gimp xcf", _unread("a GIMP image (XCF)")),
    (0, b"qoif", _unread("a QOI image")),
    (0, b"DDS ", _unread("a DDS image")),
    (128, b"DICM", _unread("a DICOM image")),
    (0, b"%!PS", _unread("a PostScript document (EPS or PS)")),
    (0, b"\xc5\xd0\xd3\xc6", _unread("a PostScript document (EPS)")),
    (0, b"%PDF", FileFormat("a PDF document", Kind.OTHER, "save its pages or its images as PNG or JPEG first")),
    (0, b"FUJIFILMCCD-RAW", _raw("RAF")),
    (0, b"IIU\0", _raw("RW2")),
    (0, b"IIRO", _raw("ORF")),
    (0, b"IIRS", _raw("ORF")),
    (0, b"MMOR", _raw("ORF")),
    (0, b"FOVb", _raw("X3F")),
    (0, b"FLV\1", _video("FLV")),
    (0, b"\0\0\1\xba", _video("MPEG")),
    (0, b"\0\0\1\xb3", _video("MPEG")),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _video("WMV")),
    (0, b".RMF", _video("RealMedia")),
    (0, b"\x06\x0e\x2b\x34", _video("MXF")),
    (0, b"\x1f\x07\0", _video("DV")),
    (0, b"YUV4MPEG2", _video("Y4M")),
    (0, b"\0\0\0\1\x67", _video("H.264")),
    (0, b"\0\0\0\1\x40\1", _video("H.265")),
    (0, b"ID3", _sound("MP3")),
    (0, b"fLaC", _sound("FLAC")),
    (0, b"PK\3\4", _archive("ZIP")),
    (0, b"\x1f\x8b\x08", _archive("gzip")),
    (0, b"7z\xbc\xaf\x27\x1c", _archive("7z")),
    (0, b"Rar!\x1a\7", _archive("RAR")),
    (257, b"ustar", _archive("tar")),
    (0, b"BZh", _archive("bzip2")),
    (0, b"\xfd7zXZ\0", _archive("xz")),
    (0, b"\x28\xb5\x2f\xfd", _archive("Zstandard")),
    (0, b"\x04\x22\x4d\x18", _archive("LZ4")),
    (0, b"PAR1", _data("a Parquet table")),
    (0, b"ARROW1\0\0", _data("an Arrow table")),
    (0, b"SQLite format 3\0", _data("a SQLite database")),
    (0, b"\x89HDF\r\n\x1a\n", _data("an HDF5 file")),
    (0, b"MATLAB 5.0 MAT-file", _data("a MATLAB file")),
    (0, b"\x93NUMPY", _data("a NumPy array")),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _data("an old Office document")),
    (
        0,
        b"version https://git-lfs",
        FileFormat("a pointer of Git LFS", Kind.OTHER, "fetch the file with `git lfs pull`"),
    ),
)
"""Formats that a signature decides: its offset, its bytes, and the format."""


def _find_bmp(head: bytes) -> FileFormat | None:
    # Texts start with these letters too, but have no four zeros there.
    return _image("a BMP image") if head[6:10] == bytes(4) else None


def _find_pnm(head: bytes) -> FileFormat | None:
    if not head[2:3].isspace():
        return None
    if head[1:2] in (b"F", b"f"):
        return _unread("a PFM image with floating-point pixels")
    return _image("a PPM image") if head[1:2].isdigit() else None


def _find_png(head: bytes) -> FileFormat:
    before_pixels = head[:HEAD_BYTES].partition(b"IDAT")[0]
    return _animation("PNG") if b"acTL" in before_pixels else _image("a PNG image")


def _find_gif(head: bytes) -> FileFormat:
    # Programs that write animations note their repetition in this extension, before the first frame.
    return _animation("GIF") if b"NETSCAPE2.0" in head[:HEAD_BYTES] else _image("a GIF image")


def _find_riff(head: bytes) -> FileFormat | None:
    content = head[8:12]
    if content == b"WEBP":
        animated = head[12:16] == b"VP8X" and len(head) > 20 and head[20] & 2
        return _animation("WebP") if animated else _image("a WebP image")
    return {b"AVI ": _video("AVI"), b"WAVE": _sound("WAV")}.get(content)


def _find_matroska(head: bytes) -> FileFormat:
    return _video("WebM" if b"webm" in head[:64] else "Matroska")


def _find_ogg(head: bytes) -> FileFormat:
    return _video("Ogg") if b"theora" in head[:HEAD_BYTES] else _sound("Ogg")


CR2_START = b"II*\0\x10\0\0\0CR\2"
"""The start of a TIFF file whose first directory follows the mark of Canon's camera raws."""


def _find_tiff(head: bytes) -> FileFormat:
    if head.startswith(CR2_START):
        return _raw("CR2")
    if is_camera_raw(read_tags(head)):
        return _raw("DNG, NEF, ARW or the like")
    return _image("a TIFF image")


CONTAINERS: tuple[tuple[bytes, Callable[[bytes], FileFormat | None]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _find_png),
    (b"BM", _find_bmp),
    (b"P", _find_pnm),
    (b"GIF8", _find_gif),
    (b"RIFF", _find_riff),
    (b"\x1a\x45\xdf\xa3", _find_matroska),
    (b"OggS", _find_ogg),
    (b"II*\0", _find_tiff),
    (b"MM\0*", _find_tiff),
    (b"II+\0", _find_tiff),
    (b"MM\0+", _find_tiff),
)
"""Formats that need a second look: their signature, and the function that takes it."""

HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
AVIF_BRANDS = frozenset({b"avif", b"avis"})
ANIMATED_AVIF_BRAND = b"avis"
HEIF_BRANDS = frozenset({b"mif1", b"msf1"})
SOUND_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P "})
QUICKTIME_BOXES = frozenset({b"moov", b"mdat", b"wide", b"pnot"})


def _find_by_boxes(head: bytes) -> FileFormat | None:
    """Return the format of a file of boxes (ISO 14496-12), which its brands tell, or of an early QuickTime file."""
    if head[4:8] in QUICKTIME_BOXES:
        return _video("MOV")
    if head[4:8] != b"ftyp":
        return None
    brand = head[8:12]
    end = min(int.from_bytes(head[:4], "big"), HEAD_BYTES)
    compatible = {head[start : start + 4] for start in range(16, end, 4)}
    if brand == ANIMATED_AVIF_BRAND:
        return _animation("AVIF")
    if brand in AVIF_BRANDS or (brand in HEIF_BRANDS and compatible & AVIF_BRANDS):
        return AVIF
    if brand in HEIC_BRANDS | HEIF_BRANDS:
        return HEIC
    if brand == b"crx ":
        return _raw("CR3")
    if brand in SOUND_BRANDS:
        return _sound("M4A")
    return _video("MOV" if brand == b"qt  " else "3GP" if brand.startswith(b"3g") else "MP4")


def _find_transport_stream(head: bytes) -> FileFormat | None:
    """Return the format of an MPEG transport stream: a sync byte every 188 bytes, or every 192 from the fourth on."""
    for start, length in ((0, 188), (4, 192)):
        syncs = head[start : start + 3 * length : length]
        if syncs == b"GGG":
            return _video("MPEG transport stream")
    return None


def _find_text(head: bytes) -> FileFormat | None:
    """Return the format of a page or a drawing that is text."""
    text = head[:TEXT_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not text.startswith(b"<"):
        return None
    if b"<svg" in text and b"<html" not in text:
        return _unread("an SVG drawing")
    if b"<html" in text or text.startswith(b"<!doctype html"):
        return FileFormat("a web page (HTML)", Kind.OTHER, "download the image itself")
    return None
