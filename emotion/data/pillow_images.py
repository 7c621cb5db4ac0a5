"""Decoding of image files of any kind with Pillow."""

import io
import warnings

import numpy as np
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from emotion.data.deep_pixels import to_eight_bits
from emotion.data.file_formats import HEIC, FileFormat, Kind, identify
from emotion.data.image_errors import MAX_PIXELS, UNREAD, ImageError, UnknownFormatError, check_size
from emotion.data.orientation import OrientationNotes
from emotion.data.tiff_header import ORIENTATION

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
"""Formats that Pillow may open. Some others, such as EPS, would start other programs. HEIC needs pillow-heif."""

Decoded = tuple[np.ndarray, OrientationNotes]
"""An image as stored, uint8 (height, width, 1 or 3), and where the file notes its orientation."""


def decode_any(data: bytes) -> Decoded:
    """Decode an image file of any kind with Pillow. Return its pixels as stored, and where its orientation is noted."""
    known = identify(data)
    check_format(known)
    try:
        with warnings.catch_warnings():
            # Pillow warns of large images; check_size decides on them.
            warnings.simplefilter("ignore")
            with _open_heic(data) if known == HEIC else Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                check_size(*opened.size)
                notes = _take_notes(opened)
                opened.load()
                # In a HEIC file, the pixels may have another size than the header says.
                check_size(*opened.size)
                return _to_uint8(opened), notes
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise _unidentified(data, known) from None
    except Image.DecompressionBombError:
        raise ImageError(f"got more pixels than the allowed {MAX_PIXELS}; scale the image down") from None
    # Pillow's readers raise many types on broken files: struct.error, SyntaxError, EOFError and more.
    except Exception as error:
        # Some details have line breaks.
        raise ImageError(f"the image does not decode: {' '.join(str(error).split())}") from None


def check_format(known: FileFormat | None) -> None:
    """Refuse a file of a format that is known and not read; the message names it and the way out."""
    if known is None or known.kind in (Kind.IMAGE, Kind.ANIMATION):
        return
    fault = UNREAD if known.kind is Kind.UNREAD_IMAGE else "no image"
    raise ImageError(f"{fault}: it is {known.name}; {known.remedy}")


def _unidentified(data: bytes, known: FileFormat | None) -> ImageError:
    if known is not None:
        return ImageError(f"the image does not decode: it begins as {known.name}, and is broken or cut off")
    return UnknownFormatError(f"no image: the file starts with {data[:12]!r}, expected one of {', '.join(FORMATS)}")


def _open_heic(data: bytes) -> Image.Image:
    """Open a HEIC file with pillow-heif, which decodes the main image when it is loaded."""
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise ImageError(
            f"{UNREAD}: it is {HEIC.name}; install its reader with `pip install 'facial-emotion-pipeline[heic]'`, or "
            "save the image as JPEG"
        ) from None
    opened: Image.Image = HeifImageFile(io.BytesIO(data))
    return opened


def _take_notes(opened: Image.Image) -> OrientationNotes:
    """Return where the orientation of an image is noted that Pillow opened and did not load yet.

    There is none where the decoder applies it: libheif turns HEIC as the container says, and Pillow turns TIFF as its
    own tag says. For AVIF, Pillow writes what the container says into EXIF.
    """
    # Pillow would turn a TIFF image by XMP too.
    xmp = opened.info.pop("xmp", b"")
    if opened.format == "HEIF" or (isinstance(opened, TiffImagePlugin.TiffImageFile) and ORIENTATION in opened.tag_v2):
        return OrientationNotes()
    # TIFF may hold XMP as text too, and other types hold none.
    xmp = xmp.encode() if isinstance(xmp, str) else xmp
    return OrientationNotes(opened.info.get("exif", b""), xmp if isinstance(xmp, bytes) else b"")


def _to_uint8(opened: Image.Image) -> np.ndarray:
    """Return a Pillow image of any mode as uint8 (height, width, 1) or (height, width, 3)."""
    if opened.mode == "F":
        return to_eight_bits(np.asarray(opened))[:, :, None]
    if opened.mode.startswith("I"):
        # 16 bits, which Pillow holds in 16 or in 32.
        return to_eight_bits(np.clip(np.asarray(opened), 0, 2**16 - 1).astype(np.uint16))[:, :, None]
    if opened.has_transparency_data:
        gray = opened.mode in ("L", "LA", "La", "1")
        layer = opened.convert("RGBA")
        opened = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("L" if gray else "RGB")
    opened = opened.convert("L" if opened.mode in ("1", "L") else "RGB")
    image = np.array(opened, dtype=np.uint8)
    return image[:, :, None] if image.ndim == 2 else image


def find_tiff_notes(data: bytes) -> OrientationNotes:
    """Return the notes of a TIFF file; none where Pillow does not know its pixels."""
    try:
        with Image.open(io.BytesIO(data), formats=("TIFF",)) as opened:
            return _take_notes(opened)
    # Pillow raises many types on broken files.
    except Exception:
        return OrientationNotes()
