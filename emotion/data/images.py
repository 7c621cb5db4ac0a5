"""Decoding of images from bytes, files and video frames, and resizing to a model's input.

No other module resizes images for a model.
"""

import os
import stat
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import simplejpeg

from emotion.core.metadata import CHANNELS
from emotion.data import jpeg_header, png_header
from emotion.data.deep_pixels import decode_deep, is_deep_tiff
from emotion.data.file_formats import HEAD_BYTES, identify
from emotion.data.image_errors import MAX_PIXELS, ImageError, UnknownFormatError, check_size
from emotion.data.orientation import find_orientation, turn_upright
from emotion.data.pillow_images import Decoded, check_format, decode_any, find_tiff_notes
from emotion.data.png_header import PngHeader
from emotion.data.tiff_header import HEIGHT, WIDTH, is_camera_raw, read_tags
from emotion.parallel.on_worker import UnreadableOnWorkerError, is_on_worker

__all__ = [
    "ImageError",
    "UnknownFormatError",
    "decode",
    "from_frame",
    "is_image",
    "read_bytes",
    "read_image",
    "silence_opencv",
    "to_input",
]

MAX_FILE_BYTES = 64 * 2**20
"""Files larger than this are refused before they are read."""

MAX_SCANS, MAX_SCANNED_PIXELS = 100, 16 * MAX_PIXELS
"""The number of scans of a JPEG file, and that of pixels in all its scans. Encoders write one to a dozen scans."""

JPEG_COLORS = {"Gray": "GRAY", "YCbCr": "RGB", "RGB": "RGB"}
"""The colors that libjpeg-turbo converts to gray or RGB, and what they become."""

IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp"),
    *(".tif", ".tiff", ".avif", ".jp2", ".pgm", ".ppm", ".pnm", ".mpo", ".heic", ".heif", ".hif"),
)
"""Suffixes of image files. Files with other suffixes are rejected in class folders."""


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
        ImageError: the file cannot be read, or is larger than MAX_FILE_BYTES. A large video is named as one.
        UnreadableOnWorkerError: a worker of a cluster cannot read the file, which this machine may be able to read.
    """
    try:
        # A pipe may keep its reader waiting for ever, and a device may never end.
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            raise ImageError("it is a folder, a pipe or a device, expected a file")
        # `Path.open` and a buffer would cost more time than the reading of a small file.
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            if os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
                check_format(identify(file.read(HEAD_BYTES)))
                raise ImageError(f"the file is larger than {MAX_FILE_BYTES // 2**20} MiB")
            return file.read()
    except OSError as error:
        if is_on_worker():
            raise UnreadableOnWorkerError(str(path), str(error.strerror)) from None
        raise ImageError(f"the file cannot be read: {error.strerror}") from None


def decode(data: bytes) -> np.ndarray:
    """Return the image in the bytes of an image file.

    Gray files stay gray. Deeper pixels become 8 bits (`to_eight_bits` finds their range), and palettes, CMYK and LAB
    become RGB. Transparent images get a white background. Of several frames or pages, the first is used, and of several
    images in a HEIC file the main one. The orientation that the file notes is applied; see `emotion.data.orientation`.

    Returns:
        uint8 of shape (height, width, 1) for gray or (height, width, 3) for RGB.

    Raises:
        ImageError: the bytes are empty, no image, broken or cut off, or the image has more than MAX_PIXELS pixels, or
            more passes than its size allows. Or it is HEIC, and pillow-heif is not installed.
    """
    if not data:
        raise ImageError("the file is empty")
    if data.startswith(jpeg_header.SIGNATURE):
        image, notes = _decode_jpeg(data)
    elif data.startswith(png_header.SIGNATURE):
        image, notes = _decode_png(data)
    else:
        tags = read_tags(data)
        image, notes = _decode_tiff(data, tags) if tags else decode_any(data)
    check_size(image.shape[1], image.shape[0])
    return turn_upright(image, find_orientation(notes))


def _decode_jpeg(data: bytes) -> Decoded:
    """Decode a JPEG file with libjpeg-turbo, which also says its size. Pillow reads what that does not convert."""
    header = jpeg_header.read_jpeg_header(data)
    if not header.is_complete:
        raise ImageError("the JPEG file is cut off")
    try:
        height, width, colors, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except (ValueError, KeyError):
        # It is broken, or has a rare sampling of colors. The size, which Pillow then checks, may be any.
        colors, pixels = "", MAX_PIXELS
    else:
        check_size(width, height)
        pixels = width * height
    _check_scans(data, pixels)
    if colors not in JPEG_COLORS:
        return decode_any(data)[0], header.notes
    try:
        image = simplejpeg.decode_jpeg(data, JPEG_COLORS[colors], strict=False)
    except (ValueError, KeyError) as error:
        raise ImageError(f"the image does not decode: {error}") from None
    return image, header.notes


def _check_scans(data: bytes, pixels: int) -> None:
    """Raise ImageError where a JPEG file gives its pixels in so many passes that decoding takes long."""
    most = min(MAX_SCANS, MAX_SCANNED_PIXELS // pixels)
    scans = jpeg_header.count_scans(data, most)
    if scans > most:
        raise ImageError(f"got a JPEG file of {scans} scans, expected at most {most} at its size; save it again")


def _decode_png(data: bytes) -> Decoded:
    header = _check_png(data)
    if header.is_plain:
        return _decode_plain_png(data), header.notes
    image = _decode_deep(data) if header.is_deep else None
    return decode_any(data)[0] if image is None else image, header.notes


def _decode_tiff(data: bytes, tags: dict[int, int | None]) -> Decoded:
    """Decode a TIFF file with the tags `tags`: with OpenCV where its pixels are deep."""
    if is_camera_raw(tags) or not is_deep_tiff(tags):
        return decode_any(data)
    check_size(tags.get(WIDTH) or 0, tags.get(HEIGHT) or 0)
    image = _decode_deep(data)
    # Pillow knows some compressions that OpenCV does not.
    return decode_any(data) if image is None else (image, find_tiff_notes(data))


def _decode_deep(data: bytes) -> np.ndarray | None:
    silence_opencv()
    return decode_deep(data)


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


def _check_png(data: bytes) -> PngHeader:
    """Return the header of a PNG file, after a check of its size and its end."""
    if len(data) < png_header.HEADER_BYTES:
        raise ImageError("the PNG file is cut off")
    header = png_header.read_png_header(data)
    check_size(header.width, header.height)
    if not header.is_complete:
        raise ImageError("the PNG file is cut off")
    return header


def _decode_plain_png(data: bytes) -> np.ndarray:
    """Decode an 8-bit gray or color PNG file with OpenCV, which is faster than Pillow."""
    silence_opencv()
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_ANYCOLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        image = None
    if image is None:
        raise ImageError("the image does not decode: its data is broken")
    return image[:, :, None] if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


@cache
def silence_opencv() -> None:
    """Stop OpenCV from writing to standard error about images that do not decode. Our errors name these images."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
