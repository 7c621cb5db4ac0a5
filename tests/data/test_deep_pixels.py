"""Images with more than 8 bits, in rare colors and in several pages: read with the right values, or refused by name."""

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from emotion.data.images import ImageError, decode

GRAY = np.add.outer(np.arange(20), 5 * np.arange(30)).astype(np.uint8)
RGB = np.stack([GRAY, 255 - GRAY, np.full_like(GRAY, 90)], axis=-1)
ALPHA = np.where(GRAY > 60, 255, 0).astype(np.uint8)
BITS, COLOR, SIGNED_OR_FLOATING = 258, 262, 339


def saved(image: Image.Image, kind: str = "TIFF", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def encoded(image: np.ndarray, suffix: str) -> bytes:
    """Return a file by OpenCV, which keeps the type of `image`: gray, RGB or RGBA."""
    if image.ndim == 3:
        image = image[:, :, [2, 1, 0, 3][: image.shape[2]]]
    return cv2.imencode(suffix, image)[1].tobytes()


def check(data: bytes, expected: np.ndarray, atol: int = 0) -> None:
    image = decode(data)
    expected = expected if expected.ndim == 3 else expected[:, :, None]
    assert image.dtype == np.uint8
    np.testing.assert_allclose(image.astype(int), expected.astype(int), atol=atol)


@pytest.mark.parametrize("image", [GRAY, RGB], ids=["gray", "RGB"])
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("factor", [257, 16, 1], ids=["16 bits", "12 bits", "8 bits"])
def test_sixteen_bits_are_read_by_the_range_that_they_fill(image, suffix, factor):
    wide = image.astype(np.uint16) * factor
    if factor == 257:
        wide[0, 0] = 2**16 - 1
        image = image.copy()
        image[0, 0] = 255
    check(encoded(wide, suffix), image)


def test_transparent_pixels_of_sixteen_bits_are_laid_on_white():
    layer = np.dstack([RGB, ALPHA]).astype(np.uint16) * 257
    check(encoded(layer, ".png"), np.where(ALPHA[:, :, None] == 255, RGB, 255))


@pytest.mark.parametrize("image", [GRAY, RGB], ids=["gray", "RGB"])
@pytest.mark.parametrize("scale", [1, 255])
@pytest.mark.parametrize("number", [np.float32, np.float64])
def test_floating_point_pixels_are_read_in_both_usual_ranges(image, scale, number):
    check(encoded((image / 255 * scale).astype(number), ".tiff"), image)


def test_floating_point_pixels_of_other_programs():
    shares = Image.fromarray((GRAY / 255).astype(np.float32))
    check(saved(shares), GRAY)
    check(saved(shares, big_tiff=True), GRAY)
    check(saved(shares, compression="tiff_lzw"), GRAY)
    check(encoded(np.zeros((4, 4), np.float32), ".tiff"), np.zeros((4, 4)))


@pytest.mark.parametrize("values", [(0.0, 1000.0), (-0.1, 0.9), (0.1, np.nan), (0.0, np.inf)])
def test_floating_point_pixels_of_no_known_range_are_refused_with_the_way_out(values):
    image = np.resize(np.array(values, np.float32), (4, 4))
    for data in (encoded(image, ".tiff"), encoded(np.dstack([image] * 3), ".tiff")):
        with pytest.raises(ImageError, match=r"floating-point pixels.*8 or 16 bits"):
            decode(data)


def tiff_with(image: np.ndarray, tag: int, value: int) -> bytes:
    """Return a TIFF file that claims another value of `tag` than its pixels have."""
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    directory[SIGNED_OR_FLOATING] = 1
    data = bytearray(saved(Image.fromarray(image), tiffinfo=directory))
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    for position in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, position) == (tag,):
            struct.pack_into("<H", data, position + 8, value)
    return bytes(data)


@pytest.mark.parametrize(
    "tag, value, said",
    [
        (SIGNED_OR_FLOATING, 2, "signed"),
        (BITS, 32, "32-bit"),
        (SIGNED_OR_FLOATING, 3, "floating-point pixels of 16 bits"),
        (COLOR, 0, "white as zero.*PNG"),
    ],
)
def test_rare_pixels_of_tiff_are_refused_by_their_name(tag, value, said):
    data = tiff_with(GRAY.astype(np.uint16) * 257, tag, value)
    with pytest.raises(ImageError, match=f"TIFF image.*{said}"):
        decode(data)


def test_floating_point_pixels_of_pfm_are_refused_by_their_name():
    with pytest.raises(ImageError, match=r"PFM image with floating-point pixels.*PNG"):
        decode(saved(Image.fromarray(GRAY.astype(np.float32)), "PPM"))


def test_deep_images_of_absurd_size_are_refused_before_they_are_decoded(monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("was decoded"))
    monkeypatch.setattr("emotion.data.image_errors.MAX_PIXELS", 20 * 30 - 1)
    for suffix in (".png", ".tiff"):
        with pytest.raises(ImageError, match="30x20 pixels"):
            decode(encoded(GRAY.astype(np.uint16), suffix))


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("kept", [0.05, 0.5, 0.95])
def test_deep_images_that_are_cut_off_are_refused(suffix, kept):
    data = encoded(np.random.default_rng(0).integers(0, 2**16, (40, 40, 3), dtype=np.uint16), suffix)
    with pytest.raises(ImageError):
        decode(data[: int(kept * len(data))])


def test_cmyk_in_jpeg_and_tiff():
    plain = np.full((16, 16, 3), (200, 40, 60), np.uint8)
    image = Image.fromarray(plain).convert("CMYK")
    check(saved(image), plain)
    check(saved(image, "JPEG", quality=98), plain, atol=6)


def test_lab_becomes_rgb():
    plain = np.full((16, 16, 3), (180, 120, 110), np.uint8)
    profiles = [ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")]
    lab = ImageCms.buildTransform(profiles[0], profiles[1], "RGB", "LAB").apply(Image.fromarray(plain))
    check(saved(lab), plain, atol=2)


@pytest.mark.parametrize("options", [{}, {"compression": "group4"}])
def test_one_bit_in_tiff(options):
    check(saved(Image.fromarray(GRAY > 60), **options), ALPHA)


def test_a_palette_with_a_transparent_color_is_laid_on_white():
    two_colors = np.where(ALPHA[:, :, None] == 255, (255, 0, 0), (0, 0, 255)).astype(np.uint8)
    image = Image.fromarray(two_colors).quantize(2)
    blue = int(np.asarray(image)[0, 0])
    for kind in ("PNG", "GIF"):
        check(saved(image, kind, transparency=blue), np.where(ALPHA[:, :, None] == 255, two_colors, 255))


def test_the_first_page_of_several_is_read():
    pages = [Image.fromarray(image) for image in (GRAY, 255 - GRAY)]
    check(saved(pages[0], save_all=True, append_images=pages[1:]), GRAY)


def test_big_tiff_is_read_as_tiff():
    for image in (GRAY, RGB, GRAY.astype(np.uint16) * 257):
        check(saved(Image.fromarray(image), big_tiff=True), image if image.dtype == np.uint8 else GRAY)
