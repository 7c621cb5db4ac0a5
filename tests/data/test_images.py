"""emotion.data.images: every kind of file becomes uint8 gray or RGB, and bad ones are refused with a reason."""

import contextlib
import io
import os
import re
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emotion.data.image_errors import MAX_PIXELS
from emotion.data.images import (
    ImageError,
    UnknownFormatError,
    decode,
    from_frame,
    read_bytes,
    read_image,
    to_input,
)
from emotion.data.pillow_images import FORMATS
from tests.fuzzing import damaged
from tests.makers import encode

CASES = Path(__file__).with_name("cases")

GRAY = np.add.outer(np.arange(20), 5 * np.arange(30)).astype(np.uint8)
RGB = np.stack([GRAY, 255 - GRAY, np.full_like(GRAY, 90)], axis=-1)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_files_keep_every_pixel(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(decode(saved(Image.fromarray(RGB), kind, **options)), RGB)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_gray_files_stay_gray(kind):
    np.testing.assert_array_equal(decode(saved(Image.fromarray(GRAY), kind)), GRAY[:, :, None])


def test_jpeg_is_gray_or_rgb_and_close_to_the_original():
    gray, rgb = (decode(saved(Image.fromarray(image), "JPEG", quality=98, subsampling=0)) for image in (GRAY, RGB))
    assert (gray.shape, rgb.shape) == ((20, 30, 1), (20, 30, 3))
    np.testing.assert_allclose(gray[:, :, 0].astype(int), GRAY, atol=4)
    np.testing.assert_allclose(rgb.astype(int), RGB, atol=10)


def test_sixteen_bits_become_eight():
    wide = GRAY.astype(np.uint16) * 257
    np.testing.assert_array_equal(decode(cv2.imencode(".png", wide)[1].tobytes())[:, :, 0], GRAY)
    np.testing.assert_array_equal(decode(cv2.imencode(".tiff", wide)[1].tobytes())[:, :, 0], GRAY)
    colored = cv2.imencode(".png", RGB[:, :, ::-1].astype(np.uint16) * 257)[1].tobytes()
    np.testing.assert_array_equal(decode(colored), RGB)


def test_palette_becomes_rgb():
    two_colors = np.where(GRAY[:, :, None] > 60, (255, 0, 0), (0, 0, 255)).astype(np.uint8)
    image = Image.fromarray(two_colors).quantize(2)
    np.testing.assert_array_equal(decode(saved(image, "PNG")), two_colors)
    np.testing.assert_array_equal(decode(saved(image, "GIF")), two_colors)


def test_one_bit_becomes_black_and_white():
    image = Image.fromarray(GRAY > 60)
    np.testing.assert_array_equal(decode(saved(image, "PNG"))[:, :, 0], np.where(GRAY > 60, 255, 0))


def test_transparent_pixels_are_laid_on_white():
    layer = np.dstack([RGB, np.where(GRAY > 60, 255, 0).astype(np.uint8)])
    expected = np.where(GRAY[:, :, None] > 60, RGB, 255)
    np.testing.assert_array_equal(decode(saved(Image.fromarray(layer), "PNG")), expected)
    gray = decode(saved(Image.fromarray(layer[:, :, [0, 3]]), "PNG"))
    np.testing.assert_array_equal(gray[:, :, 0], expected[:, :, 0])


def test_cmyk_jpeg_has_the_right_colors():
    plain = np.full((16, 16, 3), (200, 40, 60), np.uint8)
    image = decode(saved(Image.fromarray(plain).convert("CMYK"), "JPEG", quality=98))
    np.testing.assert_allclose(image.astype(int), plain, atol=6)


def test_first_frame_of_an_animation():
    frames = [Image.fromarray(image) for image in (GRAY, 255 - GRAY)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode(data)[:, :, 0], GRAY)


def test_empty_file_is_refused():
    with pytest.raises(ImageError, match="the file is empty"):
        decode(b"")


@pytest.mark.parametrize("data", [b"This is a text, not an image.", b"\x00" * 100])
def test_what_nobody_knows_shows_its_first_bytes(data):
    with pytest.raises(UnknownFormatError, match=rf"no image.*{re.escape(repr(data[:12]))}.*JPEG, PNG"):
        decode(data)


@pytest.mark.parametrize(
    "data, facts",
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n" * 9, "PostScript.*PNG"),
        (b"\0\0\0\x18ftypmp42" + bytes(500), "video.*MP4.*emotion video FILE"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(500), "camera raw.*convert"),
        (b"<html><body>Not found</body></html>", "web page.*download"),
    ],
    ids=["EPS", "MP4", "CR2", "HTML"],
)
def test_known_files_that_are_not_read_name_the_way_out(data, facts):
    with pytest.raises(ImageError, match=facts) as raised:
        decode(data)
    assert "b'" not in str(raised.value)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "AVIF"])
def test_known_files_that_are_broken_are_no_unknown_files(kind):
    data = saved(Image.fromarray(RGB), kind)
    with pytest.raises(ImageError, match="does not decode") as raised:
        decode(data[:14])
    assert not isinstance(raised.value, UnknownFormatError)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tiff"])
@pytest.mark.parametrize("kept", [0.3, 0.7, 0.95])
def test_cut_off_files_are_refused(suffix, kept):
    data = encode(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8), suffix)
    with pytest.raises(ImageError):
        decode(data[: int(kept * len(data))])


def raise_out_of_memory(*_: object) -> None:
    raise cv2.error("Insufficient memory")


def test_data_that_does_not_decode_is_refused(monkeypatch):
    data = encode(RGB, ".png")
    pixels = data.index(b"IDAT") + 4
    with pytest.raises(ImageError, match="decode"):
        decode(data[:pixels] + bytes(20) + data[pixels + 20 :])
    monkeypatch.setattr(cv2, "imdecode", raise_out_of_memory)
    with pytest.raises(ImageError, match="decode"):
        decode(data)


@pytest.mark.parametrize("size", [(0, 20), (30, 0)])
def test_images_without_pixels_are_refused(size):
    data = encode(GRAY, ".png")
    with pytest.raises(ImageError, match="x".join(map(str, size))):
        decode(data[:16] + struct.pack(">II", *size) + data[24:])


@pytest.mark.parametrize("extra", [b"\xff", b"\xff\x01"], ids=["a fill byte", "a marker without a length"])
def test_rare_parts_of_a_jpeg_header_are_passed_over(extra):
    data = encode(RGB, ".jpg")
    np.testing.assert_array_equal(decode(data[:2] + extra + data[2:]), decode(data))


def heic_of(*images: np.ndarray, **options: object) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed, so no HEIC file is made")
    file = pillow_heif.HeifFile()
    for image in images:
        mode = {np.uint8: "L" if image.ndim == 2 else "RGB", np.uint16: "RGB;16"}[image.dtype.type]
        file.add_frombytes(mode, image.shape[1::-1], image.tobytes())
    buffer = io.BytesIO()
    file.save(buffer, quality=-1, chroma=444, **options)
    return buffer.getvalue()


def test_heic_is_read_in_gray_and_color():
    np.testing.assert_allclose(decode(heic_of(RGB)).astype(int), RGB, atol=3)
    np.testing.assert_array_equal(decode(heic_of(GRAY))[:, :, 0], GRAY)


def test_heic_of_more_than_eight_bits_becomes_eight():
    np.testing.assert_allclose(decode(heic_of(RGB.astype(np.uint16) * 257)).astype(int), RGB, atol=3)


@pytest.mark.parametrize("main", [0, 1])
def test_of_several_images_in_a_heic_file_the_main_one_is_read(main):
    images = (RGB, 255 - RGB)
    data = heic_of(*images, primary_index=main)
    np.testing.assert_allclose(decode(data).astype(int), images[main], atol=3)


def test_a_heic_file_that_is_cut_off_is_refused():
    data = heic_of(RGB)
    for kept in (20, len(data) // 3, len(data) - 40):
        with pytest.raises(ImageError, match=r"does not decode: .*\S$"):
            decode(data[:kept])


def test_heic_of_absurd_size_is_refused_before_it_is_decoded(monkeypatch):
    data = heic_of(np.zeros((64, 64, 3), np.uint8))
    monkeypatch.setattr("pillow_heif.HeifImageFile.load", lambda *_: pytest.fail("was decoded"))
    place = data.index(b"ispe") + 8
    with pytest.raises(ImageError):
        decode(data[:place] + struct.pack(">II", 60_000, 60_000) + data[place + 8 :])
    monkeypatch.setattr("emotion.data.image_errors.MAX_PIXELS", 64 * 64 - 1)
    with pytest.raises(ImageError, match="64x64 pixels"):
        decode(data)


def test_heic_without_its_reader_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match=r"HEIC.*pip install 'facial-emotion-pipeline\[heic\]'"):
        decode(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))


@pytest.mark.medium
def test_reading_other_images_loads_no_reader_of_heic():
    code = "import sys, emotion.data.images; print('pillow_heif' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def huge_png() -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(b"\0" * 10_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def huge_jpeg() -> bytes:
    data = bytearray(encode(GRAY, ".jpg"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 60_000, 60_000)
    return bytes(data)


def huge_other(kind: str, side: int) -> bytes:
    return saved(Image.new("1", (side, side)), kind)


@pytest.mark.parametrize(
    "data",
    [huge_png(), huge_jpeg(), huge_other("TIFF", 9_000), huge_other("TIFF", 14_000)],
    ids=["png", "jpeg", "tiff", "tiff beyond Pillow's own limit"],
)
def test_images_of_absurd_size_are_refused_before_they_are_decoded(data, monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("was decoded"))
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("was decoded"))
    monkeypatch.setattr("simplejpeg.decode_jpeg", lambda *_, **__: pytest.fail("was decoded"))
    with pytest.raises(ImageError, match=rf"{MAX_PIXELS}"):
        decode(data)


def test_a_small_false_header_does_not_hide_the_size_of_a_jpeg():
    data = (CASES / "jpeg_hidden_size_20000.jpg").read_bytes()
    with pytest.raises(ImageError, match="20000x20000"):
        decode(data)


def scans_of(pixels: np.ndarray) -> tuple[bytes, list[int]]:
    """Return a progressive JPEG file, and where its scans start and its end marker lies."""
    data = saved(Image.fromarray(pixels), "JPEG", progressive=True)
    return data, [*(found.start() for found in re.finditer(rb"\xff\xda", data)), len(data) - 2]


def test_usual_progressive_jpeg_files_are_read():
    for pixels in (RGB, GRAY):
        decoded = decode(scans_of(pixels)[0])
        np.testing.assert_array_equal(decoded, decode(saved(Image.fromarray(pixels), "JPEG")))


@pytest.mark.parametrize("hidden", [b"", b"\xff\xd0" * 20_000], ids=["plain", "behind 20,000 markers"])
def test_a_jpeg_of_countless_scans_is_refused_at_once(hidden):
    data, starts = scans_of(RGB)
    scan = data[starts[-2] : starts[-1]]
    started = time.process_time()
    with pytest.raises(ImageError, match=r"scans, expected at most 100 .*save it again"):
        decode(data[:2] + hidden + data[2:-2] + scan * 50_000 + data[-2:])
    assert time.process_time() - started < 1


def test_a_large_jpeg_may_have_fewer_scans(monkeypatch):
    data, starts = scans_of(RGB)
    monkeypatch.setattr("emotion.data.images.MAX_SCANNED_PIXELS", RGB.shape[0] * RGB.shape[1] * (len(starts) - 2))
    with pytest.raises(ImageError, match=f"{len(starts) - 1} scans, expected at most {len(starts) - 2}"):
        decode(data)


def test_a_video_behind_a_jpeg_has_no_scans():
    data = encode(RGB, ".jpg")
    np.testing.assert_array_equal(decode(data + b"ftyp\xff\xda" * 1000 + data[-2:]), decode(data))


@pytest.mark.parametrize("sampling", [(0x21, 0x12, 0x11), (0x31, 0x11, 0x11)], ids=["mixed", "three to one"])
def test_rare_samplings_of_jpeg_are_read(sampling):
    data = bytearray(cv2.imencode(".jpg", RGB, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x411111])[1].tobytes())
    first = data.index(b"\xff\xc0") + 11
    data[first : first + 7 : 3] = bytes(sampling)
    assert decode(bytes(data)).shape == RGB.shape


@pytest.mark.parametrize("length", [1, 2, 9])
def test_a_jpeg_with_a_wrong_length_in_its_header_is_refused(length):
    data = bytearray(encode(RGB, ".jpg"))
    data[4] = length  # the high byte of the first one
    with pytest.raises(ImageError):
        decode(bytes(data))


@pytest.mark.parametrize("extra", [0, 1, 100_000])
def test_files_of_all_lengths_are_read_whole(tmp_path, extra):
    data = bytes(range(256)) * 256 + bytes(extra)
    (tmp_path / "a.bin").write_bytes(data)
    assert read_bytes(tmp_path / "a.bin") == data


def test_reading_a_file(tmp_path):
    (tmp_path / "a.png").write_bytes(encode(GRAY))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[:, :, 0], GRAY)
    with pytest.raises(ImageError, match="cannot be read: No such file"):
        read_image(tmp_path / "b.png")


def test_large_files_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("emotion.data.images.MAX_FILE_BYTES", 70_000)
    (tmp_path / "a.png").write_bytes(encode(GRAY) + bytes(70_000))
    with pytest.raises(ImageError, match="larger than"):
        read_image(tmp_path / "a.png")
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(70_000))
    with pytest.raises(ImageError, match="emotion video FILE"):
        read_image(tmp_path / "a.mp4")


@pytest.mark.fuzz
@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused(data):
    for start in (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0"):
        try:
            image = decode(start + data)
        except ImageError:
            continue
        assert image.dtype == np.uint8


NO_OPTIONS: dict[str, Any] = {}
TURNED = Image.Exif()
TURNED[274] = 6

WHOLE = [
    saved(Image.fromarray(RGB), kind, **options)
    for kind, options in [
        *[(kind, NO_OPTIONS) for kind in FORMATS],
        ("JPEG", {"progressive": True, "exif": TURNED}),
        ("PNG", {"exif": TURNED}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "jpeg"}),
    ]
]


@pytest.mark.fuzz
@given(damaged([*WHOLE, saved(Image.fromarray(GRAY), "JPEG")]))
def test_any_damage_to_an_image_is_survived(data):
    with contextlib.suppress(ImageError):
        image = decode(data)
        assert image.dtype == np.uint8
        assert image.shape[0] * image.shape[1] <= MAX_PIXELS


def test_frames_are_bgr():
    np.testing.assert_array_equal(from_frame(RGB[:, :, ::-1]), RGB)
    np.testing.assert_array_equal(from_frame(GRAY), GRAY[:, :, None])
    np.testing.assert_array_equal(from_frame(np.dstack([RGB[:, :, ::-1], GRAY])), RGB)
    with pytest.raises(ImageError, match="float64"):
        from_frame(RGB / 255)


@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    channels=st.sampled_from([1, 3]),
    size=st.sampled_from([8, 48, 64]),
    color=st.sampled_from(["grayscale", "rgb"]),
)
def test_input_has_the_size_and_color_asked_for(height, width, channels, size, color):
    image = np.full((height, width, channels), 77, np.uint8)
    result = to_input(image, size, color)
    assert result.shape == (size, size, 1 if color == "grayscale" else 3)
    assert result.dtype == np.uint8
    assert (result == 77).all()


@pytest.mark.parametrize("color, gray", [((200, 0, 0), 60), ((0, 200, 0), 117), ((0, 0, 200), 23)])
def test_gray_weighs_red_green_and_blue_as_people_see_them(color, gray):
    assert (to_input(np.full((4, 4, 3), color, np.uint8), 8, "grayscale") == gray).all()


def test_input_of_the_right_size_keeps_its_pixels():
    image = GRAY[:20, :20, None]
    np.testing.assert_array_equal(to_input(image, 20, "grayscale"), image)
    np.testing.assert_array_equal(to_input(image, 20, "rgb"), np.repeat(image, 3, axis=2))


def test_shrinking_averages_and_enlarging_is_smooth():
    stripes = np.tile(np.array([0, 200], np.uint8), (32, 16))[:, :, None]
    assert (to_input(stripes, 16, "grayscale") == 100).all()
    enlarged = to_input(np.array([[0, 200], [0, 200]], np.uint8)[:, :, None], 8, "grayscale")
    assert len(np.unique(enlarged)) > 2


@pytest.mark.parametrize("image", [GRAY, GRAY[:, :, None] / 255, np.zeros((4, 4, 2), np.uint8)])
def test_other_arrays_are_no_input(image):
    with pytest.raises(ImageError, match="expected uint8"):
        to_input(image, 8, "grayscale")


@pytest.mark.parametrize("folder", ["emotion", "stages"])
def test_no_other_room_decodes_image_files(folder):
    """An image that is decoded elsewhere would be turned by another rule, and its size would go unchecked."""
    decoders = re.compile(r"cv2\.imread|cv2\.imdecode|Image\.open\(|tf\.io\.decode|tf\.image\.decode|load_img\(")
    files = sorted((Path(__file__).resolve().parents[2] / folder).rglob("*.py"))
    assert len(files) > 5
    others = [file for file in files if "emotion/data" not in file.as_posix()]
    assert [file.name for file in others if decoders.search(file.read_text(encoding="utf-8"))] == []


def test_other_colors_are_no_input():
    with pytest.raises(ValueError, match=r"'sepia'.*'grayscale' or 'rgb'"):
        to_input(RGB, 8, "sepia")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.parametrize("target", ["pipe", "/dev/zero", "."])
def test_pipes_and_devices_are_refused_before_they_are_opened(tmp_path, target):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.png").symlink_to(target)
    with pytest.raises(ImageError, match="a folder, a pipe or a device, expected a file"):
        read_image(tmp_path / "a.png")
