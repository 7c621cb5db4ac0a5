"""Decoding of images from bytes, files and video frames, and resizing to a model's input.

No other module resizes images for a model.
"""

import io
import os
import warnings
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from emotion.core.errors import InputError
from emotion.core.metadata import CHANNELS

MAX_PIXELS = 64 * 2**20
"""Images of more pixels than this are refused before they are decoded."""

MAX_FILE_BYTES = 64 * 2**20
"""Files larger than this are refused before they are read."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
"""Formats that Pillow may open. Some others, such as EPS, would start other programs."""

IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp"),
    *(".tif", ".tiff", ".avif", ".jp2", ".pgm", ".ppm", ".pnm", ".mpo"),
)
"""Suffixes of image files. Files with other suffixes are rejected in class folders."""

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"
JPEG_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_LONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
JPEG_START_OF_SCAN = 0xDA


class ImageError(InputError):
    """An image cannot be used; the message has the reason, without the image's name."""


class UnknownFormatError(ImageError):
    """A file is no image, or an image of a format that is not read."""


def is_image(name: str) -> bool:
    """Return whether a file of this name is an image."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def read_image(path: Path) -> np.ndarray:
    """Return the image in the file at `path`: uint8 (height, width, 1) for gray or (height, width, 3) for RGB.

    Raises:
        ImageError: the file cannot be read, is larger than MAX_FILE_BYTES, or does not decode (see `decode`).
    """
    return decode(read_bytes(path))


def read_bytes(path: Path | str) -> bytes:
    """Return the content of the image file at `path`.

    Raises:
        ImageError: the file cannot be read, or is larger than MAX_FILE_BYTES.
    """
    try:
        # `Path.open` and a buffer would cost more time than the reading of a small file.
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            if os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
                raise ImageError(f"the file is larger than {MAX_FILE_BYTES // 2**20} MiB")
            return file.read()
    except OSError as error:
        raise ImageError(f"the file cannot be read: {error.strerror}") from None


def decode(data: bytes) -> np.ndarray:
    """Return the image in the bytes of an image file.

    Gray files stay gray. 16 bits become 8, and palettes and CMYK become RGB. Transparent images get a white background.
    Of several frames, the first is used. The EXIF rotation is applied.

    Returns:
        uint8 of shape (height, width, 1) for gray or (height, width, 3) for RGB.

    Raises:
        ImageError: the bytes are empty, no image, broken or cut off, or the image has more than MAX_PIXELS pixels.
    """
    if not data:
        raise ImageError("the file is empty")
    if data.startswith(JPEG_SIGNATURE):
        plain = _check_jpeg(data)
    elif data.startswith(PNG_SIGNATURE):
        plain = _check_png(data)
    else:
        plain = False
    return _decode_plain(data) if plain else _decode_any(data)


def from_frame(frame: np.ndarray) -> np.ndarray:
    """Return the image in a frame of OpenCV.

    Args:
        frame: uint8 (height, width) or (height, width, 1) for gray, (height, width, 3 or 4) for BGR or BGRA.

    Returns:
        uint8 of shape (height, width, 1) for gray or (height, width, 3) for RGB.

    Raises:
        ImageError: `frame` has another type or shape, or no pixels.
    """
    channels = 1 if frame.ndim == 2 else frame.shape[-1]
    if frame.dtype != np.uint8 or frame.ndim not in (2, 3) or channels not in (1, 3, 4) or frame.size == 0:
        raise ImageError(f"got a frame of {frame.dtype} and shape {frame.shape}, expected uint8 gray, BGR or BGRA")
    if channels == 1:
        return np.ascontiguousarray(frame).reshape(*frame.shape[:2], 1)
    return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB if channels == 3 else cv2.COLOR_BGRA2RGB)


def to_input(image: np.ndarray, size: int, color: str) -> np.ndarray:
    """Return `image` as the input of a model. An image that is not square is stretched to a square.

    Args:
        image: uint8 of shape (height, width, 1) for gray or (height, width, 3) for RGB.
        size: height and width of the result, in pixels.
        color: `grayscale` or `rgb`.

    Returns:
        uint8 of shape (size, size, 1) for gray or (size, size, 3) for RGB; it may share memory with `image`.

    Raises:
        ImageError: `image` has another type or shape, or no pixels.
        ValueError: `color` is neither `grayscale` nor `rgb`.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3) or image.size == 0:
        raise ImageError(
            f"got an image of {image.dtype} and shape {image.shape}, expected uint8 (height, width, 1 or 3)"
        )
    return _resize(_recolor(image, color), size)


def _recolor(image: np.ndarray, color: str) -> np.ndarray:
    if color not in CHANNELS:
        raise ValueError(f"color: got {color!r}, expected 'grayscale' or 'rgb'")
    if color == "grayscale" and image.shape[2] == 3:
        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[:, :, None]
    if color == "rgb" and image.shape[2] == 1:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    return image


def _resize(image: np.ndarray, size: int) -> np.ndarray:
    height, width, channels = image.shape
    if (height, width) == (size, size):
        return image
    # INTER_AREA averages all pixels when it shrinks an image, but only repeats pixels when it enlarges one.
    method = cv2.INTER_AREA if height * width > size * size else cv2.INTER_LINEAR
    resized: np.ndarray = cv2.resize(image, (size, size), interpolation=method).reshape(size, size, channels)
    return resized


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageError(f"got {width}x{height} pixels, expected at most {MAX_PIXELS}; scale the image down")
    if width < 1 or height < 1:
        raise ImageError(f"the image has no pixels: its size is {width}x{height}")


def _check_jpeg(data: bytes) -> bool:
    """Check the size and the end of a JPEG file; return whether it is plain gray or color (not CMYK)."""
    position = 2
    channels = 0
    while position + 9 < len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker in JPEG_FRAME_MARKERS:
            height = int.from_bytes(data[position + 5 : position + 7], "big")
            width = int.from_bytes(data[position + 7 : position + 9], "big")
            channels = data[position + 9]
            _check_size(width, height)
        elif marker == JPEG_START_OF_SCAN:
            break
        if marker == 0xFF:
            position += 1
        elif marker in JPEG_LONE_MARKERS:
            position += 2
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    if not channels:
        raise ImageError("the JPEG file is broken: its header has no image size")
    # The end marker is searched behind the header, since a thumbnail in the header has an end marker too.
    if data.rfind(b"\xff\xd9", position) < 0:
        raise ImageError("the JPEG file is cut off")
    return channels in (1, 3)


def _check_png(data: bytes) -> bool:
    """Check the size and the end of a PNG file; return whether it is plain gray or color, without alpha."""
    if len(data) < 29:
        raise ImageError("the PNG file is cut off")
    _check_size(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))
    if data.rfind(b"IEND") < 0:
        raise ImageError("the PNG file is cut off")
    depth, color_type = data[24], data[25]
    transparent = data.find(b"tRNS", 0, data.find(b"IDAT")) >= 0
    return depth == 8 and color_type in (0, 2) and not transparent


def _decode_plain(data: bytes) -> np.ndarray:
    """Decode an 8-bit gray or color JPEG or PNG file with OpenCV, which is faster than Pillow."""
    silence_opencv()
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_ANYCOLOR)
    except cv2.error:
        image = None
    if image is None:
        raise ImageError("the image does not decode: its data is broken")
    return image[:, :, None] if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


@cache
def silence_opencv() -> None:
    """Stop OpenCV from writing to standard error about images that do not decode. Our errors name these images."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def _decode_any(data: bytes) -> np.ndarray:
    """Decode an image file of any kind with Pillow."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of large images; _check_size decides on them.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                _check_size(*opened.size)
                return _to_uint8(ImageOps.exif_transpose(opened))
    except ImageError:
        raise
    except UnidentifiedImageError:
        message = f"no image: the file starts with {data[:12]!r}, expected one of {', '.join(FORMATS)}"
        raise UnknownFormatError(message) from None
    except Image.DecompressionBombError:
        raise ImageError(f"got more pixels than the allowed {MAX_PIXELS}; scale the image down") from None
    # Pillow's readers raise many types on broken files: struct.error, SyntaxError, EOFError and more.
    except Exception as error:
        raise ImageError(f"the image does not decode: {error}") from None


def _to_uint8(opened: Image.Image) -> np.ndarray:
    """Return a Pillow image of any mode as uint8 (height, width, 1) or (height, width, 3)."""
    if opened.mode == "F":
        raise ImageError("floating-point pixels have no known range; save the image with 8 or 16 bits")
    if opened.mode.startswith("I"):
        # 16 bits, which Pillow holds in 16 or in 32.
        shallow: np.ndarray = (np.clip(np.asarray(opened), 0, 2**16 - 1) >> 8).astype(np.uint8)
        return shallow[:, :, None]
    if opened.has_transparency_data:
        gray = opened.mode in ("L", "LA", "La", "1")
        layer = opened.convert("RGBA")
        opened = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("L" if gray else "RGB")
    opened = opened.convert("L" if opened.mode in ("1", "L") else "RGB")
    image = np.array(opened, dtype=np.uint8)
    return image[:, :, None] if image.ndim == 2 else image
